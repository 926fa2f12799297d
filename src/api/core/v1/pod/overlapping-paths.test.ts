import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { overlaps } from './overlapping-paths.ts';

const pairsOf = (paths: readonly string[], max = 1000): [string, string][] =>
  overlaps(
    paths.map(path => ({ path })),
    max,
  ).map(([later, earlier]) => [later.path, earlier.path]);

const meet = (a: string, b: string): boolean =>
  a !== '' && b !== '' && (`${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`));

test('finds what a comparison of all with all finds, in its order', () => {
  const path = fc
    .array(fc.constantFrom('a', 'b', 'a-b', 'a.', '!'), { maxLength: 4 })
    .map(segments => segments.join('/'));
  fc.assert(
    fc.property(fc.array(path, { maxLength: 12 }), paths => {
      const expected = paths.flatMap((later, i) =>
        paths.slice(0, i).flatMap(earlier => (meet(later, earlier) ? [[later, earlier]] : [])),
      );
      expect(pairsOf(paths)).toEqual(expected);
    }),
  );
});

test('slashes at the end do not count, and no more pairs are made than asked for', () => {
  expect(pairsOf(['a/', 'a//'])).toEqual([['a', 'a']]);
  expect(
    pairsOf(
      Array.from({ length: 50_000 }, () => 'a'),
      100,
    ),
  ).toHaveLength(100);
});
