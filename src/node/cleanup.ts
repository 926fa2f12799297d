export interface CloseOptions {
  /** Pods go on without the agent; otherwise they are stopped. */
  readonly leavePods: boolean;
}

/** How to undo the steps of a start. */
export interface Cleanup {
  add(step: (options: CloseOptions) => Promise<void>): void;
  /**
   * Undoes the steps, the last first. One that fails keeps none of the others from being undone.
   * @throws the first of their errors
   */
  run(options: CloseOptions): Promise<void>;
}

export function createCleanup(): Cleanup {
  const steps: ((options: CloseOptions) => Promise<void>)[] = [];
  return {
    add: step => void steps.push(step),
    async run(options) {
      const failures: unknown[] = [];
      for (let next = steps.pop(); next !== undefined; next = steps.pop())
        await next(options).catch((error: unknown) => failures.push(error));
      if (failures.length > 0) throw failures[0];
    },
  };
}
