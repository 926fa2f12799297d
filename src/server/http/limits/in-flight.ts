import type { StatusError } from '../../../machinery/status.ts';
import { tooManyRequests } from '../../../machinery/status.ts';
import type { RequestKind } from '../metrics.ts';
import type { Client } from './clients.ts';
import { createShares } from './shares.ts';

export type InFlightLimits = Readonly<Record<RequestKind, number>>;

/** kube-apiserver's; it does not count what runs for long. */
export const defaultInFlightLimits: InFlightLimits = {
  readOnly: 400,
  mutating: 200,
  longRunning: 8000,
};

/** How many requests may be under way at once. */
export interface InFlight {
  /**
   * @returns what ends the request, to be called once; undefined for a client that is exempt
   * @throws StatusError TooManyRequests
   */
  admit(client: Client, kind: RequestKind): (() => void) | undefined;
}

/** @param dropped is told of each that was refused */
export function createInFlight(
  limits: InFlightLimits,
  dropped: (kind: RequestKind) => void = ignore,
): InFlight {
  const shares = {
    readOnly: createShares(limits.readOnly),
    mutating: createShares(limits.mutating),
    longRunning: createShares(limits.longRunning),
  };
  return {
    admit({ key, isExempt }, kind) {
      if (isExempt) return undefined;
      if (!shares[kind].take(key)) {
        dropped(kind);
        throw refused();
      }
      return () => shares[kind].giveBack(key);
    },
  };
}

const ignore = (): void => undefined;

const refused = (): StatusError => tooManyRequests('Too many requests, please try again later.', 1);
