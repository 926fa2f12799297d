import type { AbuseContext } from './abuse.ts';
import type { Call } from './client.ts';

interface Repetition {
  /** How many at once. */
  readonly parallel?: number;
  /** No more than that. */
  readonly count?: number;
  /** For no longer than that, but each sender at least once. */
  readonly forMs?: number;
}

/** Does something again and again, several at once. */
export async function repeat(
  { signal }: Pick<AbuseContext, 'signal'>,
  task: (i: number) => Promise<unknown>,
  { parallel = 4, count = Number.POSITIVE_INFINITY, forMs = 1500 }: Repetition = {},
): Promise<void> {
  const until = performance.now() + forMs;
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(parallel, count) }, async () => {
      for (let first = true; next < count && !signal.aborted; first = false) {
        if (!first && performance.now() >= until) return;
        const i = next;
        next += 1;
        await task(i);
      }
    }),
  );
}

/** The same request again and again. */
export const flood =
  (call: Call | (() => Call), repetition?: Repetition) =>
  async (context: AbuseContext): Promise<void> => {
    const wanted = typeof call === 'function' ? call() : call;
    await repeat(
      context,
      async () => context.tally.add((await context.client.call(wanted)).outcome),
      repetition,
    );
  };

/** A different request each time. */
export const floodOf =
  (call: (i: number) => Call, repetition?: Repetition) =>
  async (context: AbuseContext): Promise<void> =>
    repeat(
      context,
      async i => context.tally.add((await context.client.call(call(i))).outcome),
      repetition,
    );

/** `count` times what `part` makes, with commas. */
export const joined = (count: number, part: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => part(i)).join(',');

export const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));
