import { tooManyRequests } from '../../../machinery/status.ts';
import type { Client } from './clients.ts';
import { createShares } from './shares.ts';

/** Room for the bodies that are being received and worked on. */
export interface BodyBytes {
  /**
   * @param declared the body's `content-length`; 0 where its length is not known
   * @throws StatusError TooManyRequests
   */
  admit(client: Client, declared: number): BodyRoom;
}

/** What one body takes. */
export interface BodyRoom {
  /** So much of it has arrived. @throws StatusError TooManyRequests when there is no room for it */
  grow(received: number): void;
  /** To be called once. */
  giveBack(): void;
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
    admit(client, declared) {
      let held = 0;
      const hold = (bytes: number): void => {
        const more = Math.max(Math.min(bytes, maxOfOne), minOfOne) - held;
        if (more <= 0) return;
        if (client.isExempt) {
          if (exempt + more > maxExempt) throw refused();
          exempt += more;
        } else if (!shares.take(client, more)) throw refused();
        held += more;
      };
      hold(declared);
      return {
        grow: hold,
        giveBack() {
          if (client.isExempt) exempt -= held;
          else shares.giveBack(client, held);
        },
      };
    },
  };
}

const refused = () => tooManyRequests('Too many requests, please try again later.', 1);
