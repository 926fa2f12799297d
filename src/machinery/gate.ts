/** Runs no more than so many pieces of work at a time, in the order in which they were asked for. */
export type Gate = <T>(work: () => Promise<T>) => Promise<T>;

export function createGate(max: number): Gate {
  let running = 0;
  /** A set, because taking the first of a long array moves the rest. */
  const waiting = new Set<() => void>();
  return async work => {
    if (running >= max) await new Promise<void>(resolve => waiting.add(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      const [next] = waiting;
      if (next === undefined) running -= 1;
      else {
        // Its place goes to the next one.
        waiting.delete(next);
        next();
      }
    }
  };
}
