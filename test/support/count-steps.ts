import { Session, type Profiler } from 'node:inspector/promises';

// Functions that were compiled before that are counted by the call alone: tests import this module first.
const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });

/**
 * How much work a piece of code does, in steps rather than in time: the blocks of Keylet's sources that
 * V8 ran (its precise coverage counts every loop body and call), and the elements that built-in
 * functions which take no callback walked through. The code under test is not changed for it.
 */
export async function countSteps(work: () => unknown): Promise<number> {
  const builtins = countBuiltins();
  try {
    await session.post('Profiler.takePreciseCoverage');
    await work();
    const walked = builtins.end();
    const { result } = await session.post('Profiler.takePreciseCoverage');
    return walked + blocksRun(result);
  } finally {
    builtins.end();
  }
}

const blocksRun = (scripts: readonly Profiler.ScriptCoverage[]): number => {
  let blocks = 0;
  for (const { url, functions } of scripts) {
    if (!url.includes('/src/') || url.includes('.test.')) continue;
    for (const { ranges } of functions) for (const { count } of ranges) blocks += count;
  }
  return blocks;
};

type Callable = (this: unknown, ...args: unknown[]) => unknown;

type Cost = (self: never, args: never, result: never) => number;

const wholeList: Cost = (self: unknown[]) => self.length;
const wholeText: Cost = (self: string) => self.length;
/** From where the search began to what it found. */
const searched: Cost = (
  self: string | readonly unknown[],
  [, from = 0]: readonly [unknown, number?],
  result: number,
) => (result < 0 ? self.length : result) - from;

/** Built-in functions by their owner, and how far a call of them walks. */
const walkers: readonly [owner: object, names: readonly string[], cost: Cost][] = [
  [
    Array.prototype,
    ['includes', 'shift', 'unshift', 'concat', 'join', 'toSorted', 'toReversed'],
    wholeList,
  ],
  [Array.prototype, ['indexOf'], searched],
  [Array.prototype, ['slice'], (_: unknown, __: unknown, result: unknown[]) => result.length],
  [Array.prototype, ['splice'], (self: unknown[], [at]: readonly [number]) => self.length - at],
  [Array.prototype, ['push'], (_: unknown, args: readonly unknown[]) => args.length],
  [
    Object,
    ['keys', 'values', 'entries'],
    (_: unknown, __: unknown, found: unknown[]) => found.length,
  ],
  [JSON, ['stringify'], (_: unknown, __: unknown, text: unknown) => String(text).length],
  [JSON, ['parse'], (_: unknown, [text]: readonly [string]) => text.length],
  [String.prototype, ['indexOf'], searched],
  [
    String.prototype,
    ['includes', 'lastIndexOf', 'split', 'replaceAll', 'replace', 'match', 'toLowerCase'],
    wholeText,
  ],
  [RegExp.prototype, ['test'], (_: unknown, [text]: readonly [unknown]) => String(text).length],
];

function countBuiltins(): { end(): number } {
  let walked = 0;
  const undo: (() => void)[] = [];
  for (const [owner, names, cost] of walkers) {
    for (const name of names) {
      const before = Object.getOwnPropertyDescriptor(owner, name);
      const original = before?.value as Callable;
      Object.defineProperty(owner, name, {
        ...before,
        value(this: unknown, ...args: unknown[]): unknown {
          const result = Reflect.apply(original, this, args);
          walked += cost(this as never, args as never, result as never);
          return result;
        },
      });
      undo.push(() => Object.defineProperty(owner, name, before as PropertyDescriptor));
    }
  }
  return {
    end() {
      for (const each of undo.splice(0)) each();
      return walked;
    },
  };
}
