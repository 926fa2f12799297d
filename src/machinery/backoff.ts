export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
  /** An entry that was quiet for so long starts anew. Default twice the maximum. */
  readonly resetAfterMs?: number;
  /** Milliseconds of a clock that nobody sets; default performance.now. */
  readonly now?: () => number;
}

interface Entry {
  delayMs: number;
  lastAt: number;
}

/** Exponential back-off by key, as the kubelet's flowcontrol.Backoff has it. */
export interface Backoff {
  /** Counts a failure. @returns how long to wait now */
  next(key: string): number;
  /** How much of the present delay is left; 0 when a try may be made. */
  remaining(key: string): number;
  /** The present delay; 0 when there is none. */
  delay(key: string): number;
  reset(key: string): void;
}

export function createBackoff({
  initialMs,
  maxMs,
  resetAfterMs = 2 * maxMs,
  now = () => performance.now(),
}: BackoffOptions): Backoff {
  const entries = new Map<string, Entry>();
  const live = (key: string): Entry | undefined => {
    const entry = entries.get(key);
    if (entry === undefined) return undefined;
    if (now() - entry.lastAt > entry.delayMs + resetAfterMs) {
      entries.delete(key);
      return undefined;
    }
    return entry;
  };
  return {
    next(key) {
      const entry = live(key);
      const delayMs = entry === undefined ? initialMs : Math.min(entry.delayMs * 2, maxMs);
      entries.set(key, { delayMs, lastAt: now() });
      return delayMs;
    },
    remaining(key) {
      const entry = live(key);
      return entry === undefined ? 0 : Math.max(0, entry.lastAt + entry.delayMs - now());
    },
    delay: key => live(key)?.delayMs ?? 0,
    reset: key => void entries.delete(key),
  };
}
