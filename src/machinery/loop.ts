import type { Logger } from './log.ts';
import { reportUnexpected } from './unexpected.ts';

/** The longest that setTimeout can count, in milliseconds. */
export const maxTimerMs = 2 ** 31 - 1;

/** Work that compares what is wanted with what is: it runs when it is woken, never twice at once. */
export interface Loop {
  /** Runs the work now, or once more after the run that is on. */
  wake(): void;
  /** The soonest that is asked for counts: each run asks again for what is still to come. */
  wakeIn(ms: number): void;
  /** No run begins any more. Resolves when the last has ended, so the work itself must not wait for it. */
  close(): Promise<void>;
}

export interface LoopOptions {
  readonly log?: Pick<Logger, 'error'> | undefined;
  /** For the log, where the work fails unexpectedly: the loop goes on. */
  readonly operation?: string;
}

export function createLoop(
  work: () => Promise<void>,
  { log, operation = 'loop' }: LoopOptions = {},
): Loop {
  let running: Promise<void> | undefined;
  let again = false;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let wakeAt = Infinity;

  const run = async (): Promise<void> => {
    do {
      again = false;
      await work().catch((error: unknown) => reportUnexpected(log, operation, error));
    } while (again && !closed);
  };
  const loop: Loop = {
    wake() {
      if (closed) return;
      if (running !== undefined) {
        again = true;
        return;
      }
      running = run().finally(() => {
        running = undefined;
        // A wake between the last look and here must not be lost.
        if (again) loop.wake();
      });
    },
    wakeIn(ms) {
      const at = performance.now() + ms;
      if (closed || at >= wakeAt) return;
      clearTimeout(timer);
      wakeAt = at;
      timer = setTimeout(
        () => {
          wakeAt = Infinity;
          loop.wake();
        },
        Math.min(ms, maxTimerMs),
      );
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await running;
    },
  };
  return loop;
}
