/** What the ordinary client is told at its start. */
export interface OrdinaryStart {
  readonly url: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly namespace: string;
}

/** What it did since it was last asked. */
export interface OrdinaryReport {
  /** By kind of request: milliseconds from when each was due to when it was answered. */
  readonly latencies: Readonly<Record<string, readonly number[]>>;
  /** What was not answered as it should be: `GET: 500`, `watch: closed`, with how often. */
  readonly failures: Readonly<Record<string, number>>;
}

/** Asks for a report about all that was due before. */
export const takeReport = 'take';
