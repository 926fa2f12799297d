/** Keeps much work in small pieces from holding up everything else that the process does. */
export interface Pace {
  /** Resolves when a piece may be done: now, or in a later turn of the event loop if this one is used up. */
  ready(): Promise<void>;
  /** Does a piece of work and counts how long it took. */
  run<T>(piece: () => T): T;
}

/** @param sliceMs how much of a turn of the event loop may be used */
export function createPace(sliceMs = 10): Pace {
  let spentMs = 0;
  let nextTurn: Promise<void> | undefined;
  return {
    async ready() {
      while (spentMs >= sliceMs) await nextTurn;
    },
    run(piece) {
      nextTurn ??= new Promise(resolve =>
        setImmediate(() => {
          spentMs = 0;
          nextTurn = undefined;
          resolve();
        }),
      );
      const startedAt = performance.now();
      try {
        return piece();
      } finally {
        spentMs += performance.now() - startedAt;
      }
    },
  };
}
