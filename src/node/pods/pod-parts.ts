import type { Pod } from '../../api/core/v1/pod.ts';
import { createContainerStarts, type ContainerStarts } from './container-starts.ts';
import { createContainerStops, type ContainerStops } from './container-stops.ts';
import { createPodProbes, type PodProbes } from './pod-probes.ts';
import { createPodSandboxes, type PodSandboxes } from './pod-sandboxes.ts';
import { createPodVolumes, type PodVolumes } from './pod-volumes.ts';
import type { PodRuntimeState } from './runtime-state.ts';
import { createStatusReporter, type StatusReporter } from './status-reporter.ts';
import { createTerminationMessages, type TerminationMessages } from './termination-messages.ts';
import type { PartContext } from './worker-context.ts';

/** The parts of one pod's worker: each remembers what it did so far. */
export interface PodParts {
  readonly volumes: PodVolumes;
  readonly sandboxes: PodSandboxes;
  readonly starts: ContainerStarts;
  readonly stops: ContainerStops;
  readonly probes: PodProbes;
  readonly messages: TerminationMessages;
  readonly reporter: StatusReporter;
}

/** What one sync of a pod works with. */
export interface SyncRequest {
  readonly pod: Pod;
  readonly state: PodRuntimeState;
  readonly context: PartContext;
  readonly parts: PodParts;
}

/** @param newestPod the newest object of the API */
export function createPodParts(newestPod: () => Pod, context: PartContext): PodParts {
  const pod = newestPod();
  const { services } = context;
  const reportedIps = pod.status?.podIPs?.map(each => each.ip) ?? [];
  const volumes = createPodVolumes(context);
  const sandboxes = createPodSandboxes(context, reportedIps);
  const starts = createContainerStarts(context);
  const stops = createContainerStops(context);
  const probes = createPodProbes(pod, services, context.wake);
  const messages = createTerminationMessages();
  const reporter = createStatusReporter({
    services,
    newestPod,
    sandboxes,
    starts,
    probes,
    messages,
  });
  return { volumes, sandboxes, starts, stops, probes, messages, reporter };
}
