import type { Pod } from '../../api/core/v1/pod.ts';
import { createBackoff } from '../../machinery/backoff.ts';
import { VolumeSetupError } from '../volumes/volume-manager.ts';
import type { PodRuntimeState } from './runtime-state.ts';
import { isInUse, reportFailedMount, reportRemounted } from './volume-events.ts';
import type { PartContext } from './worker-context.ts';

/** The volumes of one pod: tried again with back-off while some are missing. */
export interface PodVolumes {
  /** @returns whether every volume is there */
  mount(pod: Pod, state: PodRuntimeState): Promise<boolean>;
  /** An object that the pod names has changed. @returns whether the pod waits for volumes */
  retryNow(): boolean;
}

const delayMs = { initialMs: 500, maxMs: 122_000 };

export function createPodVolumes({ uid, services, wakeIn }: PartContext): PodVolumes {
  const { volumes, recorder } = services;
  const backoff = createBackoff(delayMs);
  /** While volumes are missing: when it is worth another look. */
  let mountAt: number | undefined;
  let objectChanges = 0;
  return {
    async mount(pod, state) {
      if (mountAt !== undefined && mountAt > performance.now()) {
        wakeIn(mountAt - performance.now());
        return false;
      }
      const seen = objectChanges;
      try {
        for (const volume of await volumes.mountAll(pod))
          if (isInUse(pod, volume, state)) reportRemounted(recorder, pod, volume);
        backoff.reset(uid);
        mountAt = undefined;
        return true;
      } catch (error) {
        if (!(error instanceof VolumeSetupError)) throw error;
        for (const failure of error.failures) reportFailedMount(recorder, pod, failure);
        // A missing object may have been created meanwhile.
        const waitMs = objectChanges === seen ? backoff.next(uid) : 0;
        mountAt = performance.now() + waitMs;
        wakeIn(waitMs);
        return false;
      }
    },
    retryNow() {
      objectChanges += 1;
      if (mountAt === undefined) return false;
      mountAt = 0;
      backoff.reset(uid);
      return true;
    },
  };
}
