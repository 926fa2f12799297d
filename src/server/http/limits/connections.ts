import { isLoopback, sourceNetwork } from './source-network.ts';

/** A connection that was accepted, as far as its bounds are concerned. */
export interface Connection {
  /**
   * Its handshake is done.
   * @param certificate the name in its client's verified certificate
   */
  secured(certificate: string | undefined): void;
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
  /** The part of these that is kept for loopback, and as much again for clients with a verified certificate. */
  readonly reservedPart: number;
  /** How long a new connection may take to send the head of its first request. */
  readonly firstRequestMs: number;
  /** How long a connection may be idle between requests. */
  readonly idleMs: number;
  /** How long a request may take to arrive. */
  readonly arrivalMs: number;
}

/** The times are kube-apiserver's: ReadHeaderTimeout, IdleTimeout, and that of a request. */
export const defaultConnectionLimits: ConnectionLimits = {
  max: 2000,
  reservedPart: 0.1,
  firstRequestMs: 32_000,
  idleMs: 90_000,
  arrivalMs: 60_000,
};

/** Each network and each certificate may have so many, whatever others have. */
const minimumPart = 0.01;

export interface ConnectionsOptions {
  readonly limits: ConnectionLimits;
  readonly now?: () => number;
  /** Called once an episode, when connections begin to be refused, or closed for new ones. */
  readonly onLimited?: (open: number) => void;
}

/** Bounds connections in number, for each network and in all, and in the time that they may take. */
export interface Connections {
  /**
   * Where there is no room, the connection that is idle for longest makes it, of the network that holds most.
   * A busy connection is never closed for a new one.
   * @param close ends the connection, at once
   * @returns undefined where there is no room: it is to be closed
   */
  open(address: string, close: () => void): Connection | undefined;
  /** Closes what took too long. To be called from time to time. */
  sweep(): void;
}

/** From those who are limited most to those with most places of their own. */
const ranks = ['common', 'loopback', 'certificate'] as const;
type Rank = (typeof ranks)[number];

interface Entry {
  readonly close: () => void;
  readonly requests: Map<TimedRequest, number>;
  /** Whose share it counts in: a network's, or a certificate's. */
  holder: string;
  /** Undefined during the handshake: its client is not known yet. */
  rank: Rank | undefined;
  isNew: boolean;
  idleSince: number;
}

export function createConnections({
  limits,
  now = () => performance.now(),
  onLimited = () => undefined,
}: ConnectionsOptions): Connections {
  const { max } = limits;
  const reserved = Math.floor(max * limits.reservedPart);
  const minimum = Math.max(2, Math.floor(max * minimumPart));
  const entries = new Set<Entry>();
  const holders = new Map<string, Set<Entry>>();
  const counts: Record<Rank, number> = { common: 0, loopback: 0, certificate: 0 };
  let busy = 0;
  let isLimiting = false;
  let wasLimitedSinceSweep = false;

  const limited = (): void => {
    if (!isLimiting) onLimited(entries.size);
    isLimiting = true;
    wasLimitedSinceSweep = true;
  };
  const addTo = (holder: string, entry: Entry): void => {
    entry.holder = holder;
    const held = holders.get(holder);
    if (held === undefined) holders.set(holder, new Set([entry]));
    else held.add(entry);
  };
  const takeFrom = (entry: Entry): void => {
    const held = holders.get(entry.holder);
    held?.delete(entry);
    if (held?.size === 0) holders.delete(entry.holder);
  };
  const remove = (entry: Entry): void => {
    if (!entries.delete(entry)) return;
    takeFrom(entry);
    if (entry.rank !== undefined) counts[entry.rank] -= 1;
    if (entry.requests.size > 0) busy -= 1;
  };
  const close = (entry: Entry): void => {
    remove(entry);
    entry.close();
  };

  /** Of `candidates`, what is idle for longest. */
  const longestIdle = (candidates: Iterable<Entry>): Entry | undefined => {
    let oldest: Entry | undefined;
    for (const entry of candidates) {
      const isIdle = entry.requests.size === 0;
      if (isIdle && (oldest === undefined || entry.idleSince < oldest.idleSince)) oldest = entry;
    }
    return oldest;
  };
  /** Closes an idle connection of whoever holds most. @returns whether there was one */
  const closeIdle = (isCandidate: (entry: Entry) => boolean): boolean => {
    let most = 0;
    let found: Entry | undefined;
    for (const held of holders.values()) {
      if (held.size <= most) continue;
      const oldest = longestIdle([...held].filter(isCandidate));
      if (oldest !== undefined) [most, found] = [held.size, oldest];
    }
    if (found === undefined) return false;
    close(found);
    return true;
  };

  /** Connections of the ranks from `common` up to `rank` have to leave the places that the others keep. */
  const isOver = (rank: Rank): boolean => {
    const index = ranks.indexOf(rank);
    const held = ranks.slice(0, index + 1).reduce((sum, each) => sum + counts[each], 0);
    return held > max - reserved * (ranks.length - 1 - index);
  };
  const isUpTo = (rank: Rank, entry: Entry): boolean =>
    entry.rank !== undefined && ranks.indexOf(entry.rank) <= ranks.indexOf(rank);
  /** Within its reserved places a rank's connections are not closed for new ones of others. */
  const isProtected = ({ rank }: Entry): boolean => {
    if (rank === undefined || rank === 'common') return false;
    if (rank === 'certificate') return counts.certificate <= reserved;
    return counts.loopback + counts.certificate <= 2 * reserved;
  };

  /**
   * A holder may have no more than what others leave free or idle, one alone half of all; and always a few.
   * @returns whether it may have the new one, for which its own longest idle connection may have been closed
   */
  const fitsShare = (holder: string): boolean => {
    const held = [...(holders.get(holder) ?? [])].filter(each => each.rank !== undefined);
    const busyOfOthers = busy - held.filter(each => each.requests.size > 0).length;
    if (held.length + 1 <= Math.max(max - busyOfOthers - held.length, minimum)) return true;
    limited();
    const oldest = longestIdle(held);
    if (oldest !== undefined) close(oldest);
    return oldest !== undefined;
  };

  /** Gives an entry the rank of its client. @returns whether there is a place for it */
  const settle = (entry: Entry, holder: string, rank: Rank): boolean => {
    if (!fitsShare(holder)) return false;
    takeFrom(entry);
    addTo(holder, entry);
    entry.rank = rank;
    counts[rank] += 1;
    for (const each of ranks.slice(ranks.indexOf(rank))) {
      if (!isOver(each)) continue;
      limited();
      if (!closeIdle(other => other !== entry && isUpTo(each, other))) return false;
    }
    return true;
  };

  return {
    open(address, closeIt) {
      const network = sourceNetwork(address);
      if (entries.size >= max) {
        limited();
        if (!closeIdle(entry => !isProtected(entry))) return undefined;
      }
      const entry: Entry = {
        close: closeIt,
        requests: new Map(),
        holder: network,
        rank: undefined,
        isNew: true,
        idleSince: now(),
      };
      entries.add(entry);
      addTo(network, entry);
      return {
        secured(certificate) {
          if (!entries.has(entry)) return;
          const isSettled =
            certificate === undefined
              ? settle(entry, network, isLoopback(address) ? 'loopback' : 'common')
              : settle(entry, `certificate ${certificate}`, 'certificate');
          if (!isSettled) close(entry);
        },
        begin(request) {
          if (!entries.has(entry)) return;
          entry.isNew = false;
          if (entry.requests.size === 0) busy += 1;
          entry.requests.set(request, now());
        },
        end(request) {
          if (!entry.requests.delete(request) || !entries.has(entry)) return;
          if (entry.requests.size === 0) busy -= 1;
          entry.idleSince = now();
        },
        closed: () => remove(entry),
      };
    },
    sweep() {
      if (!wasLimitedSinceSweep) isLimiting = false;
      wasLimitedSinceSweep = false;
      const at = now();
      for (const entry of entries) {
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
