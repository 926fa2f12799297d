import { createBackoff } from './backoff.ts';
import { maxTimerMs } from './loop.ts';

/** Keys to be worked on: each once at a time, again when asked meanwhile, later when it failed. */
export interface WorkQueue {
  /** A key that failed waits for the end of its back-off all the same. */
  add(key: string): void;
  addAfter(key: string, delayMs: number): void;
  /** Forgets what waits; resolves when what runs has ended. */
  close(): Promise<void>;
}

export interface WorkQueueOptions {
  /** Runs for several keys at once, never twice for one. A rejection is retried with back-off. */
  work(key: string): Promise<void>;
  onError?(key: string, error: unknown): void;
  /** How many keys are worked on at a time. @default 8 */
  readonly concurrency?: number;
  readonly initialBackoffMs?: number;
  readonly maxBackoffMs?: number;
}

export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  const { concurrency = 8, initialBackoffMs = 100, maxBackoffMs = 60_000 } = options;
  const backoff = createBackoff({ initialMs: initialBackoffMs, maxMs: maxBackoffMs });
  /** In the order in which they were added. */
  const waiting = new Set<string>();
  const running = new Map<string, Promise<void>>();
  const timers = new Map<string, NodeJS.Timeout>();
  let closed = false;

  const startWaiting = (): void => {
    for (const key of waiting) {
      if (closed || running.size >= concurrency) return;
      // It stays in the queue until its present run has ended.
      if (running.has(key)) continue;
      waiting.delete(key);
      running.set(
        key,
        run(key).finally(() => {
          running.delete(key);
          startWaiting();
        }),
      );
    }
  };
  const run = async (key: string): Promise<void> => {
    try {
      await options.work(key);
      backoff.reset(key);
    } catch (error) {
      options.onError?.(key, error);
      waiting.delete(key);
      queue.addAfter(key, backoff.next(key));
    }
  };
  const queue: WorkQueue = {
    add(key) {
      if (closed) return;
      const backoffMs = backoff.remaining(key);
      if (backoffMs > 0) {
        if (!timers.has(key)) queue.addAfter(key, backoffMs);
        return;
      }
      waiting.add(key);
      startWaiting();
    },
    addAfter(key, delayMs) {
      if (closed) return;
      clearTimeout(timers.get(key));
      timers.set(
        key,
        setTimeout(
          () => {
            timers.delete(key);
            waiting.add(key);
            startWaiting();
          },
          Math.min(delayMs, maxTimerMs),
        ),
      );
    },
    async close() {
      closed = true;
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
      waiting.clear();
      await Promise.all(running.values());
    },
  };
  return queue;
}
