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
  /** What each client may send even when everything is taken. */
  readonly minimum: number;
  /** For all of those together that are exempt from `max`. */
  readonly maxExempt: number;
  /** More than this is not kept of any body. */
  readonly maxOfOne: number;
  /** What a request costs whose body is small or never comes. */
  readonly minOfOne: number;
}

const KiB = 1024;
const MiB = 1024 * KiB;
export const defaultBodyLimits: BodyLimits = {
  max: 128 * MiB,
  minimum: 256 * KiB,
  maxExempt: 256 * MiB,
  maxOfOne: 3 * MiB,
  minOfOne: 16 * KiB,
};

export function createBodyBytes({
  max,
  minimum,
  maxExempt,
  maxOfOne,
  minOfOne,
}: BodyLimits): BodyBytes {
  const shares = createShares({ max, minimum });
  let exempt = 0;
  return {
    admit(client, declared = maxOfOne) {
      const bytes = Math.max(Math.min(declared, maxOfOne), minOfOne);
      if (client.isExempt) {
        if (exempt + bytes > maxExempt) throw refused();
        exempt += bytes;
        return () => void (exempt -= bytes);
      }
      if (!shares.take(client, bytes)) throw refused();
      return () => shares.giveBack(client, bytes);
    },
  };
}

const refused = () => tooManyRequests('Too many requests, please try again later.', 1);
