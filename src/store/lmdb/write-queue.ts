import { StoreError } from '../store.ts';

/** Runs writes one transaction at a time; writes that arrive while one is synced share the next. */
export interface WriteQueue {
  /**
   * @param action writes to the tables, synchronously
   * @param bytes that it writes, about
   * @returns its result, once the transaction is on disk
   * @throws what `action` throws, or the error of the transaction: nothing of it was written then
   */
  run<R>(action: () => R, bytes: number): Promise<R>;
  /** Resolves when no write is under way. */
  idle(): Promise<void>;
}

interface Job {
  readonly bytes: number;
  /** @returns what the action threw */
  perform(): unknown;
  commit(): void;
  fail(error: unknown): void;
}

/** Performs all writes of a transaction. */
export type Work = () => {
  /** The first error of a write that is the database's own. */
  readonly fault: unknown;
  readonly bytes: number;
};

/** @param transact runs its argument in a transaction; resolves when that is on disk */
export function createWriteQueue(transact: (work: Work) => Promise<void>): WriteQueue {
  let waiting: Job[] = [];
  let running: Promise<void> | undefined;

  const drain = async (): Promise<void> => {
    while (waiting.length > 0) {
      let batch: readonly Job[] = [];
      const work: Work = () => {
        [batch, waiting] = [waiting, []];
        const errors = batch.map(job => job.perform());
        return {
          fault: errors.find(error => error !== undefined && !(error instanceof StoreError)),
          bytes: batch.reduce((sum, job) => sum + job.bytes, 0),
        };
      };
      try {
        await transact(work);
        for (const job of batch) job.commit();
      } catch (error) {
        // A transaction that could not begin has taken no jobs yet.
        if (batch.length === 0) [batch, waiting] = [waiting, []];
        for (const job of batch) job.fail(error);
      }
    }
    running = undefined;
  };

  return {
    run: <R>(action: () => R, bytes: number) =>
      new Promise<R>((resolve, reject) => {
        let settle = (): void => undefined;
        waiting.push({
          bytes,
          perform() {
            try {
              const result = action();
              settle = () => resolve(result);
              return undefined;
            } catch (error) {
              settle = () => reject(error);
              return error;
            }
          },
          commit: () => settle(),
          fail: reject,
        });
        running ??= drain();
      }),
    async idle() {
      await running;
    },
  };
}
