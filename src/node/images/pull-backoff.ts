import { createBackoff } from '../../machinery/backoff.ts';
import type { ImageError } from './image-error.ts';

/** Delays of pulls that failed, by pod and image. */
export interface PullBackoff {
  /** What holds a pull back now, and how much of it is left. */
  held(podUid: string, image: string): { leftMs: number; message: string } | undefined;
  failed(podUid: string, image: string, failure: ImageError): void;
  succeeded(podUid: string, image: string): void;
  /** Forgets all of a pod's. */
  reset(podUid: string): void;
}

export function createPullBackoff(): PullBackoff {
  const backoff = createBackoff({ initialMs: 10_000, maxMs: 300_000 });
  const failures = new Map<string, Map<string, string>>();
  const keyOf = (podUid: string, image: string): string => `${podUid}_${image}`;
  return {
    held(podUid, image) {
      const leftMs = backoff.remaining(keyOf(podUid, image));
      if (leftMs <= 0) return undefined;
      const failure = failures.get(podUid)?.get(image) ?? '';
      return { leftMs, message: `Back-off pulling image ${JSON.stringify(image)}: ${failure}` };
    },
    failed(podUid, image, { reason, message }) {
      const ofPod = failures.get(podUid) ?? new Map<string, string>();
      failures.set(podUid, ofPod.set(image, `${reason}: ${message}`));
      backoff.next(keyOf(podUid, image));
    },
    succeeded(podUid, image) {
      failures.get(podUid)?.delete(image);
      backoff.reset(keyOf(podUid, image));
    },
    reset(podUid) {
      for (const image of failures.get(podUid)?.keys() ?? []) backoff.reset(keyOf(podUid, image));
      failures.delete(podUid);
    },
  };
}
