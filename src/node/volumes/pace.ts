/** Keeps much work in small pieces from holding up everything else that the process does. */
export interface Pace {
  /**
   * Does a piece of work when its turn comes: one after another, as much as fits into a slice of a turn of the event
   * loop. One that waits for something outside lets the next go on.
   */
  run<R>(piece: () => Promise<R>): Promise<R>;
}

/** @param sliceMs how much of a turn of the event loop the pieces together may use */
export function createPace(sliceMs = 2): Pace {
  const waiting: (() => void)[] = [];
  let working = false;
  let sliceEndsAt: number | undefined;

  const admit = (): void => {
    if (working || waiting.length === 0) return;
    if (sliceEndsAt === undefined) {
      sliceEndsAt = performance.now() + sliceMs;
      setImmediate(() => {
        sliceEndsAt = undefined;
        admit();
      });
    } else if (performance.now() >= sliceEndsAt) return;
    working = true;
    waiting.shift()?.();
  };

  return {
    async run(piece) {
      await new Promise<void>(resolve => {
        waiting.push(resolve);
        admit();
      });
      let held = true;
      const release = (): void => {
        if (!held) return;
        held = false;
        working = false;
        admit();
      };
      setImmediate(release);
      try {
        return await piece();
      } finally {
        release();
      }
    },
  };
}
