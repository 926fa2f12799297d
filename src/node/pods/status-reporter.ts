import type { Pod, PodStatus } from '../../api/core/v1/pod.ts';
import type { ContainerStarts } from './container-starts.ts';
import type { PodProbes } from './pod-probes.ts';
import type { PodSandboxes } from './pod-sandboxes.ts';
import { readySandbox, type PodRuntimeState } from './runtime-state.ts';
import { podStatus } from './pod-status.ts';
import { createStatusWriter } from './status-writer.ts';
import type { TerminationMessages } from './termination-messages.ts';
import type { WorkerServices } from './worker-context.ts';
import type { PodFailure } from './worker-state.ts';

export interface ReportOptions {
  /** No container runs, and none will be started again. */
  readonly terminal?: boolean;
  readonly failure?: PodFailure | undefined;
}

/** Turns the runtime state of one pod into its status in the API. */
export interface StatusReporter {
  report(state: PodRuntimeState, options?: ReportOptions): PodStatus;
  /** Resolves when the newest status is written, or the pod is gone. */
  flush(): Promise<void>;
}

export interface StatusReporterOptions {
  readonly services: WorkerServices;
  /** The newest object of the API: a sync may have begun with an older one. */
  readonly newestPod: () => Pod;
  readonly sandboxes: PodSandboxes;
  readonly starts: ContainerStarts;
  readonly probes: PodProbes;
  readonly messages: TerminationMessages;
}

export function createStatusReporter(options: StatusReporterOptions): StatusReporter {
  const { services, newestPod, sandboxes, starts, probes, messages } = options;
  const writer = createStatusWriter(services.pods, services.log);
  let reported: PodStatus | undefined;
  return {
    report(state, { terminal = false, failure } = {}) {
      const pod = newestPod();
      const status = podStatus({
        pod,
        state,
        facts: {
          waiting: starts.waiting,
          isReady: probes.isReady,
          isStarted: probes.isStarted,
          terminationMessage: messages.get,
          mountStatuses: services.volumes.mountStatuses,
          runtimeName: services.runtimeName,
        },
        podIps: sandboxes.podIps,
        hostIp: services.hostIp,
        sandboxReady: readySandbox(state) !== undefined,
        terminal,
        failure,
        reported,
      });
      reported = status;
      writer.write(pod, status);
      return status;
    },
    flush: () => writer.flush(),
  };
}
