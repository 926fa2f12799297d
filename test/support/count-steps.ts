import { Session, type Profiler } from 'node:inspector/promises';

/**
 * How much work a piece of code does, in steps rather than in time: the blocks of Keylet's sources that
 * V8 ran (its precise coverage counts every loop body and call), and the elements that built-in
 * functions which take no callback walked through. The code under test is not changed for it.
 */
export async function countSteps(work: () => unknown): Promise<number> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const builtins = countBuiltins();
  try {
    await session.post('Profiler.takePreciseCoverage');
    await work();
    const walked = builtins.end();
    const { result } = await session.post('Profiler.takePreciseCoverage');
    return walked + blocksRun(result);
  } finally {
    builtins.end();
    await session.post('Profiler.stopPreciseCoverage');
    session.disconnect();
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

/** Functions by their owner, and what of a call tells how far they walk. */
const walkers: readonly [
  owner: object,
  names: readonly string[],
  cost: (self: unknown, args: readonly unknown[], result: unknown) => number,
][] = [
  [
    Array.prototype,
    ['includes', 'indexOf', 'lastIndexOf', 'splice', 'shift', 'unshift', 'slice', 'concat', 'join'],
    self => (self as unknown[]).length,
  ],
  [Array.prototype, ['toSorted', 'toReversed'], self => (self as unknown[]).length],
  [Array.prototype, ['push'], (_, args) => args.length],
  [Object, ['keys', 'values', 'entries'], (_, __, result) => (result as unknown[]).length],
  [JSON, ['stringify'], (_, __, result) => String(result).length],
  [JSON, ['parse'], (_, [text]) => String(text).length],
  [
    String.prototype,
    [
      'includes',
      'indexOf',
      'lastIndexOf',
      'split',
      'replaceAll',
      'replace',
      'match',
      'toLowerCase',
    ],
    self => String(self).length,
  ],
  [RegExp.prototype, ['test'], (_, [text]) => String(text).length],
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
          walked += cost(this, args, result);
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
