import type { Pod } from '../../api/core/v1/pod.ts';
import { fieldPathOf } from '../field-path.ts';
import { createProber, type Prober } from '../probes/prober.ts';
import { reportedStatuses } from './lost-container-status.ts';
import { isRunning, type PodRuntimeState } from './runtime-state.ts';
import type { WorkerServices } from './worker-context.ts';

/** The results of the probes of one pod's containers. */
export interface PodProbes extends Pick<Prober, 'isReady' | 'isStarted' | 'unhealthy' | 'close'> {
  /** Probes the running containers, and no others. */
  follow(pod: Pod, state: PodRuntimeState, podIp: string | undefined): void;
}

/** @param onChange called when a container became ready, unready, started or unhealthy */
export function createPodProbes(
  first: Pod,
  { runtime, runtimeName, recorder, log }: WorkerServices,
  onChange: () => void,
): PodProbes {
  let newest = first;
  const prober = createProber({
    runtime,
    log,
    onChange,
    onEvent: (container, reason, message) =>
      recorder.event(newest, 'Warning', reason, message, fieldPathOf(newest, container)),
  });

  const foundBefore = (pod: Pod, id: string): { started: boolean; ready: boolean } | undefined => {
    const found = reportedStatuses(pod).find(
      ({ containerID = '' }) => containerID === `${runtimeName}://${id}`,
    );
    return found && { started: found.started === true, ready: found.ready };
  };

  return {
    ...prober,
    follow(pod, state, podIp = '127.0.0.1') {
      newest = pod;
      const live: string[] = [];
      for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
        const status = state.containers.get(container.name)?.[0];
        if (status === undefined || !isRunning(status)) continue;
        live.push(status.id);
        prober.watch({
          container,
          containerId: status.id,
          startedAtMs: Number(status.startedAt / 1_000_000n),
          podIp,
          before: foundBefore(pod, status.id),
        });
      }
      prober.keep(live);
    },
  };
}
