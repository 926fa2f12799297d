import { createBackoff } from './backoff.ts';
import { maxTimerMs } from './loop.ts';

/** Keys to be worked on: each once at a time, again when asked meanwhile, later when it failed. */
export interface WorkQueue {
  add(key: string): void;
  addAfter(key: string, delayMs: number): void;
  /** Forgets what waits; resolves when what runs has ended. */
  close(): Promise<void>;
}

export interface WorkQueueOptions {
  /** May run for several keys at once, never twice for one. A rejection is retried with back-off. */
  work(key: string): Promise<void>;
  onError?(key: string, error: unknown): void;
  readonly initialBackoffMs?: number;
  readonly maxBackoffMs?: number;
}

export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  const backoff = createBackoff({
    initialMs: options.initialBackoffMs ?? 100,
    maxMs: options.maxBackoffMs ?? 60_000,
  });
  const running = new Map<string, Promise<void>>();
  const again = new Set<string>();
  const timers = new Map<string, NodeJS.Timeout>();
  let closed = false;

  const start = (key: string): void => {
    running.set(
      key,
      run(key).finally(() => {
        running.delete(key);
        if (again.delete(key) && !closed) start(key);
      }),
    );
  };
  const run = async (key: string): Promise<void> => {
    try {
      await options.work(key);
      backoff.reset(key);
    } catch (error) {
      options.onError?.(key, error);
      queue.addAfter(key, backoff.next(key));
    }
  };
  const queue: WorkQueue = {
    add(key) {
      if (closed) return;
      if (running.has(key)) again.add(key);
      else start(key);
    },
    addAfter(key, delayMs) {
      if (closed) return;
      clearTimeout(timers.get(key));
      timers.set(
        key,
        setTimeout(
          () => {
            timers.delete(key);
            queue.add(key);
          },
          Math.min(delayMs, maxTimerMs),
        ),
      );
    },
    async close() {
      closed = true;
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
      again.clear();
      await Promise.all(running.values());
    },
  };
  return queue;
}
