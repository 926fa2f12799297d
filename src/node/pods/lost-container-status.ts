import type { ContainerState, ContainerStatus, Pod } from '../../api/core/v1/pod.ts';

/** The statuses of a pod's containers in the API, init containers first. */
export const reportedStatuses = ({ status }: Pod): ContainerStatus[] => [
  ...(status?.initContainerStatuses ?? []),
  ...(status?.containerStatuses ?? []),
];

/** The status of a container that the runtime no longer knows: how it ended is kept from the API. */
export function lostContainerStatus(
  { metadata, spec }: Pod,
  old: ContainerStatus,
  { init, initial }: { init: boolean; initial: NonNullable<ContainerState['waiting']> },
): ContainerStatus {
  const { name, image, imageID, restartCount } = old;
  const ended = old.state?.terminated;
  const runsOnce = spec.restartPolicy === 'Never';
  const base = { name, image, imageID, ready: false, started: false };
  if (ended !== undefined) return { ...old, ...base, ready: init && ended.exitCode === 0 };
  if (old.state?.running === undefined)
    return { ...base, restartCount, state: { waiting: initial }, lastState: old.lastState ?? {} };
  if (runsOnce) {
    const message = 'The container could not be located when the pod was terminated';
    return { ...old, ...base, state: { terminated: { ...unknown, message } } };
  }
  const message =
    'The container could not be located when the pod was deleted.  The container used to be Running';
  return {
    ...base,
    restartCount: metadata.deletionTimestamp === undefined ? restartCount + 1 : restartCount,
    state: { waiting: initial },
    lastState: { terminated: { ...unknown, message } },
  };
}

const unknown = { reason: 'ContainerStatusUnknown', exitCode: 137 };

/** How the previous container ended, where only the API remembers it. @param id of the present one, if there is one */
export function lastTermination(old: ContainerStatus | undefined, id: string): ContainerState {
  const ended = old?.containerID === id ? undefined : old?.state?.terminated;
  return ended === undefined ? (old?.lastState ?? {}) : { terminated: ended };
}
