import type { StatusError } from '../../../machinery/status.ts';
import { tooManyRequests } from '../../../machinery/status.ts';
import type { RequestKind } from '../metrics.ts';
import type { Client } from './clients.ts';
import { createShares, type Shares } from './shares.ts';

/** 0: no limit, as in kube-apiserver. */
export type InFlightLimits = Readonly<Record<RequestKind, number>>;

/** kube-apiserver's; it does not count what runs for long. */
export const defaultInFlightLimits: InFlightLimits = {
  readOnly: 400,
  mutating: 200,
  longRunning: 8000,
};

/** Each client always gets this part of a limit. */
const minimumPart = 1 / 50;

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
    readOnly: sharesOf(limits.readOnly),
    mutating: sharesOf(limits.mutating),
    longRunning: sharesOf(limits.longRunning),
  };
  return {
    admit(client, kind) {
      if (client.isExempt) return undefined;
      if (!shares[kind].take(client)) {
        dropped(kind);
        throw refused();
      }
      return () => shares[kind].giveBack(client);
    },
  };
}

const sharesOf = (limit: number): Shares =>
  createShares({
    max: limit === 0 ? Infinity : limit,
    minimum: Math.max(1, Math.floor(limit * minimumPart)),
  });

const ignore = (): void => undefined;

const refused = (): StatusError => tooManyRequests('Too many requests, please try again later.', 1);
