import { tooManyRequests } from '../../../machinery/status.ts';
import type { Client } from './clients.ts';
import { createShares } from './shares.ts';

/** Room for the bodies that are being received and worked on. */
export interface BodyBytes {
  /**
   * @param declared the body's `content-length`; undefined where its length is not known
   * @returns what gives the room back; to be called once
   * @throws StatusError TooManyRequests
   */
  admit(client: Client, declared: number | undefined): () => void;
}

export interface BodyLimits {
  readonly max: number;
  /** For all of those together that are exempt from `max`. */
  readonly maxExempt: number;
  /** More than this is not kept of any body. */
  readonly maxOfOne: number;
}

const MiB = 1024 * 1024;
export const defaultBodyLimits: BodyLimits = {
  max: 128 * MiB,
  maxExempt: 256 * MiB,
  maxOfOne: 3 * MiB,
};

export function createBodyBytes({ max, maxExempt, maxOfOne }: BodyLimits): BodyBytes {
  const shares = createShares(max);
  let exempt = 0;
  return {
    admit({ key, isExempt }, declared = maxOfOne) {
      const bytes = Math.min(declared, maxOfOne);
      if (isExempt) {
        if (exempt + bytes > maxExempt) throw refused();
        exempt += bytes;
        return () => void (exempt -= bytes);
      }
      if (!shares.take(key, bytes)) throw refused();
      return () => shares.giveBack(key, bytes);
    },
  };
}

const refused = () => tooManyRequests('Too many requests, please try again later.', 1);
