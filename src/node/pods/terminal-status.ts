import type { ContainerStatus, Pod } from '../../api/core/v1/pod.ts';
import { isSidecarName } from './sidecar.ts';

interface Statuses {
  readonly initContainerStatuses: readonly ContainerStatus[];
  readonly containerStatuses: readonly ContainerStatus[];
}

/**
 * kubelet's TerminatePod: in a pod that has ended no container waits any more. One that was to run, and of which
 * nothing is known, counts as failed.
 */
export function terminalStatuses(pod: Pod, statuses: Statuses): Statuses {
  const { initContainerStatuses: init, containerStatuses } = statuses;
  const attempted = Math.max(
    1,
    init.findLastIndex(each => each.state?.waiting === undefined || hasEnded(each)) + 1,
  );
  return {
    initContainerStatuses: init.map((each, at) => (at < attempted ? ended(each) : each)),
    containerStatuses: hasInitialized(pod, statuses)
      ? containerStatuses.map(ended)
      : containerStatuses,
  };
}

const hasEnded = ({ state, lastState }: ContainerStatus): boolean =>
  state?.terminated !== undefined || lastState?.terminated !== undefined;

const ended = (status: ContainerStatus): ContainerStatus =>
  status.state?.terminated === undefined
    ? {
        ...status,
        ready: false,
        started: false,
        state: {
          terminated: {
            reason: 'ContainerStatusUnknown',
            message: 'The container could not be located when the pod was terminated',
            exitCode: 137,
          },
        },
      }
    : status;

/** kubelet's hasPodInitialized. */
function hasInitialized(
  pod: Pod,
  { initContainerStatuses: init, containerStatuses }: Statuses,
): boolean {
  const last = init.at(-1);
  if (last === undefined) return true;
  if (containerStatuses.some(each => each.state?.waiting === undefined || hasEnded(each)))
    return true;
  if (isSidecarName(pod, last.name)) return hasEnded(last);
  return [last.state, last.lastState].some(each => each?.terminated?.exitCode === 0);
}
