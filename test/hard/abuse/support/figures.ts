/** What one abuse did. Times of the ordinary client in milliseconds, memory of the server in MiB. */
export interface Figures {
  readonly name: string;
  readonly sender: string;
  readonly seconds: number;
  readonly p99: number;
  readonly worst: number;
  readonly before: number;
  readonly peak: number;
  readonly after: number;
  /** Bytes. */
  readonly logged: number;
  readonly answers: string;
  readonly failed?: boolean;
}

export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (
    sorted[Math.min(Math.floor((sorted.length * percent) / 100), sorted.length - 1)] ?? Number.NaN
  );
}

const tableHead = [
  '| abuse | by | took | p99 | worst | memory before / peak / after | logged | answers | |',
  '| --- | --- | --: | --: | --: | --: | --: | --- | --- |',
];

function rowOf(figures: Figures): string {
  const { name, sender, seconds, p99, worst, before, peak, after, logged, answers } = figures;
  const [ms, memory] = [
    [p99, worst],
    [before, peak, after],
  ].map(each => each.map(Math.round));
  return `| ${[
    name,
    sender,
    `${seconds.toFixed(1)} s`,
    ...(ms ?? []).map(each => `${each} ms`),
    `${memory?.join(' / ')} MiB`,
    `${(logged / 1024).toFixed(1)} KiB`,
    answers,
    figures.failed === true ? 'FAILED' : 'ok',
  ].join(' | ')} |`;
}

export const tableOf = (figures: readonly Figures[]): string =>
  `${[...tableHead, ...figures.map(rowOf)].join('\n')}\n`;
