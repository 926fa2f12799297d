import type { Outcome } from './abuse.ts';

/** How requests ended, and how often. */
export interface Tally {
  add(outcome: string | number): void;
  /** `201 ×4, 429 ×80`. */
  summary(): string;
  /** What was not expected. */
  unexpected(expected: readonly Outcome[]): string[];
}

const tooManyRequests = '429';

export function createTally(): Tally {
  const counts = new Map<string, number>();
  const shown = ([outcome, count]: [string, number]): string => `${outcome} ×${count}`;
  return {
    add: outcome => counts.set(String(outcome), (counts.get(String(outcome)) ?? 0) + 1),
    summary: () => [...counts].map(shown).join(', ') || 'nothing sent',
    unexpected: expected => {
      const right = new Set([...expected.map(String), tooManyRequests]);
      const isRight = (outcome: string): boolean =>
        right.has(outcome) || (/^\d{3}$/.test(outcome) && right.has(`${outcome[0]}xx`));
      return [...counts].filter(([outcome]) => !isRight(outcome)).map(shown);
    },
  };
}
