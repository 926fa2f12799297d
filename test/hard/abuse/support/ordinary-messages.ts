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
  /** Milliseconds from when each request was due to when it was answered. */
  readonly latencies: readonly number[];
  /** What was not answered as it should be: `GET: 500`, `watch: closed`, with how often. */
  readonly failures: Readonly<Record<string, number>>;
}

/** Asks for a report about all that was due before. */
export const takeReport = 'take';
