/** One line of the result. */
export interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: 'ms' | '/s' | 'MiB' | '×' | '%';
  /** What it is held against, measured in the same run. */
  readonly limit?: { readonly what: string; readonly value: number };
  /** The design's budget, in the same unit, or of the ratio to the limit. */
  readonly budget?: {
    readonly value: number;
    readonly of: 'value' | 'ratio';
    readonly better: 'less' | 'more';
  };
}

export const percentile = (values: readonly number[], percent: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const at = Math.min(Math.floor((sorted.length * percent) / 100), sorted.length - 1);
  return sorted[at] ?? Number.NaN;
};

export const median = (values: readonly number[]): number => percentile(values, 50);

export const ratioOf = ({ value, limit }: Row): number | undefined =>
  limit === undefined ? undefined : value / limit.value;

/** Whether the budget is kept; undefined where there is none. */
export function keeps(row: Row): boolean | undefined {
  const { budget } = row;
  if (budget === undefined) return undefined;
  const measured = budget.of === 'ratio' ? (ratioOf(row) ?? Number.NaN) : row.value;
  return budget.better === 'less' ? measured <= budget.value : measured >= budget.value;
}

/** Runs `task` `count` times, `parallel` at once. @returns runs per second */
export async function rate(
  count: number,
  parallel: number,
  task: (i: number) => Promise<unknown>,
): Promise<number> {
  let next = 0;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      while (next < count) await task(next++);
    }),
  );
  return count / ((performance.now() - startedAt) / 1000);
}

export async function timed(task: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await task();
  return performance.now() - startedAt;
}
