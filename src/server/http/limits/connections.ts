import { createShares } from './shares.ts';

/** A connection that was accepted, as far as its bounds are concerned. */
export interface Connection {
  /** A request began or ended on it. */
  begin(request: TimedRequest): void;
  end(request: TimedRequest): void;
  closed(): void;
}

/** A request whose sender may be slow. */
export interface TimedRequest {
  /** The whole of it arrived. */
  readonly complete: boolean;
  destroy(): unknown;
}

export interface ConnectionLimits {
  readonly max: number;
  /** How long a new connection may take to send the head of its first request. */
  readonly firstRequestMs: number;
  /** How long a connection may be idle between requests. */
  readonly idleMs: number;
  /** How long a request may take to arrive. */
  readonly arrivalMs: number;
}

/** kube-apiserver's times: ReadHeaderTimeout, IdleTimeout, and that of a request. */
export const defaultConnectionLimits: ConnectionLimits = {
  max: 2000,
  firstRequestMs: 32_000,
  idleMs: 90_000,
  arrivalMs: 60_000,
};

/** Bounds connections in number, for each address and in all, and in the time that they may take. */
export interface Connections {
  /**
   * Where there is no room, the connection of the same address that is idle for longest makes it.
   * @param close ends the connection, at once
   * @returns undefined where there is no room: it is to be closed
   */
  open(address: string, close: () => void): Connection | undefined;
  /** Closes what took too long. To be called from time to time. */
  sweep(): void;
}

interface Entry {
  readonly address: string;
  readonly close: () => void;
  readonly requests: Map<TimedRequest, number>;
  isNew: boolean;
  idleSince: number;
}

export function createConnections(
  limits: ConnectionLimits,
  now: () => number = () => performance.now(),
): Connections {
  const shares = createShares(limits.max);
  const byAddress = new Map<string, Set<Entry>>();

  const remove = (entry: Entry): void => {
    const entries = byAddress.get(entry.address);
    if (entries?.delete(entry) !== true) return;
    if (entries.size === 0) byAddress.delete(entry.address);
    shares.giveBack(entry.address);
  };
  const close = (entry: Entry): void => {
    remove(entry);
    entry.close();
  };
  const closeIdle = (address: string): boolean => {
    let oldest: Entry | undefined;
    for (const entry of byAddress.get(address) ?? []) {
      const isIdle = entry.requests.size === 0;
      if (isIdle && (oldest === undefined || entry.idleSince < oldest.idleSince)) oldest = entry;
    }
    if (oldest === undefined) return false;
    close(oldest);
    return true;
  };

  return {
    open(address, closeIt) {
      if (!shares.take(address) && !(closeIdle(address) && shares.take(address))) return undefined;
      const entry: Entry = {
        address,
        close: closeIt,
        requests: new Map(),
        isNew: true,
        idleSince: now(),
      };
      const entries = byAddress.get(address);
      if (entries === undefined) byAddress.set(address, new Set([entry]));
      else entries.add(entry);
      return {
        begin(request) {
          entry.isNew = false;
          entry.requests.set(request, now());
        },
        end(request) {
          entry.requests.delete(request);
          entry.idleSince = now();
        },
        closed: () => remove(entry),
      };
    },
    sweep() {
      const at = now();
      for (const entry of [...byAddress.values()].flatMap(entries => [...entries])) {
        if (entry.requests.size === 0) {
          const allowed = entry.isNew ? limits.firstRequestMs : limits.idleMs;
          if (at - entry.idleSince > allowed) close(entry);
          continue;
        }
        for (const [request, beganAt] of entry.requests)
          if (!request.complete && at - beganAt > limits.arrivalMs) request.destroy();
      }
    },
  };
}
