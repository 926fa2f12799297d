import type { Pod } from '../../api/core/v1/pod.ts';
import { containersOf } from '../../api/core/v1/pod/pod-references.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { VolumeFailure } from '../volumes/volume-manager.ts';
import { isRunning, type PodRuntimeState } from './runtime-state.ts';

export function reportFailedMount(
  recorder: EventRecorder,
  pod: Pod,
  { volume, message }: VolumeFailure,
): void {
  recorder.event(
    pod,
    'Warning',
    'FailedMount',
    `MountVolume.SetUp failed for volume ${JSON.stringify(volume)} : ${message}`,
  );
}

/** Nothing else shows it: a running container keeps the mount that it was started with. */
export function reportRemounted(recorder: EventRecorder, pod: Pod, volume: string): void {
  recorder.event(
    pod,
    'Warning',
    'VolumeRemounted',
    `Volume ${JSON.stringify(volume)} had been unmounted and was mounted anew: containers that run keep its old content until they are started again`,
  );
}

/** Whether a container that runs has this volume. */
export const isInUse = ({ spec }: Pod, volume: string, state: PodRuntimeState): boolean =>
  containersOf(spec).some(
    ({ name, volumeMounts = [] }) =>
      isRunning(state.containers.get(name)?.[0]) && volumeMounts.some(each => each.name === volume),
  );
