import type { ContainerState, ContainerStatus, Pod } from '../../api/core/v1/pod.ts';

/** What the API was told of a pod's containers, those of init first. */
export const toldStatuses = ({ status }: Pod): ContainerStatus[] => [
  ...(status?.initContainerStatuses ?? []),
  ...(status?.containerStatuses ?? []),
];

/** What the API says of a container that the runtime does not know any more: its end stays told. */
export function forgottenStatus(
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

/** How the container before this one ended, where only the API remembers it. @param id of this one, if there is one */
export function lastTermination(old: ContainerStatus | undefined, id: string): ContainerState {
  const ended = old?.containerID === id ? undefined : old?.state?.terminated;
  return ended === undefined ? (old?.lastState ?? {}) : { terminated: ended };
}
