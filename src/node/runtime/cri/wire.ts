/** 64-bit integers travel as strings. */
export type Wire<T> = Omit<T, 'createdAt'> & { createdAt: string };

/** A message that wraps an integer, so that it can be absent. */
export const int64 = (value: number | undefined): { value: string } | undefined =>
  value === undefined ? undefined : { value: String(value) };
