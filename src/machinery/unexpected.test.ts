import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { describeError, guard, reportUnexpected, unexpectedErrors } from './unexpected.ts';

const recorder = () => {
  const lines: string[] = [];
  return {
    lines,
    error: (_message: string, fields = {}) => void lines.push(JSON.stringify(fields)),
  };
};

describe('guard()', () => {
  test.each([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ])(
    'a callback that %s is reported, with its operation, and hurts nobody',
    async (_, callback) => {
      const log = recorder();
      const before = unexpectedErrors();
      const failures: unknown[] = [];
      const onError = (error: unknown): void => void failures.push(error);
      guard({ log, operation: 'watch bookmarks', onError }, callback)();
      await nextTurn();
      expect(failures).toHaveLength(1);
      expect(unexpectedErrors() - before).toBe(1);
      expect(log.lines).toHaveLength(1);
      expect(log.lines[0]).toContain('"operation":"watch bookmarks"');
      expect(log.lines[0]).toContain('Error: broken');
    },
  );

  test('passes arguments on', () => {
    const seen: unknown[] = [];
    guard({ operation: 'x' }, (a: number, b: string) => seen.push(a, b))(1, 'b');
    expect(seen).toEqual([1, 'b']);
  });
});

test('an error that passes several boundaries is logged and counted once', () => {
  const log = recorder();
  const before = unexpectedErrors();
  const error = new Error('broken');
  reportUnexpected(log, 'inner', error);
  reportUnexpected(log, 'outer', error);
  expect(log.lines).toHaveLength(1);
  expect(unexpectedErrors() - before).toBe(1);
});

describe('describeError()', () => {
  const thrownBy = (action: () => unknown): unknown => {
    try {
      return action();
    } catch (error) {
      return error;
    }
  };
  test.each([
    ['JSON.parse', () => JSON.parse('{"password":"hunter2') as unknown],
    ['BigInt', () => BigInt('hunter2')],
    ['in', () => 'x' in ('hunter2' as unknown as object)],
    ['an assignment', () => Object.assign('hunter2', ['x'])],
    ['Buffer', () => Buffer.alloc('hunter2' as unknown as number)],
    ['URL', () => new URL('hunter2')],
  ])('quotes nothing of what %s was given', (_, action) => {
    const text = describeError(new Error('outer', { cause: thrownBy(action) }));
    expect(text).toMatch(/^Error: outer\n {4}at .*\n[^]*caused by \w*Error/);
    // Frames name the place: this file's own text is no value.
    expect(text.replaceAll(/^ {4}at .*$/gm, '')).not.toContain('hunter2');
  });

  test.each(['text', undefined, { secret: 'hunter2' }])('%j is told by its type only', thrown => {
    expect(describeError(thrown)).toBe(typeof thrown);
  });

  test('says what the system refused', () => {
    const error = Object.assign(new Error('ENOSPC: no space left on device, write'), {
      code: 'ENOSPC',
    });
    expect(describeError(error)).toMatch(/^Error: ENOSPC: no space left on device, write\n/);
  });
});
