import { isDeepStrictEqual } from 'node:util';
import { assert, constantFrom, json, property } from 'fast-check';
import { expect, test } from 'vitest';
import { sameJson } from './same-json.ts';

test('says of two JSON values what a comparison in depth says', () => {
  const text = json({ maxDepth: 3, stringUnit: constantFrom('', 'a', '0') });
  assert(
    property(text, text, (a, b) => {
      const [x, y]: unknown[] = [JSON.parse(a), JSON.parse(b)];
      expect(sameJson(x, y)).toBe(isDeepStrictEqual(x, y));
      expect(sameJson(x, JSON.parse(a))).toBe(true);
      expect(sameJson({ x, y: undefined }, { x: JSON.parse(a) as unknown })).toBe(true);
    }),
  );
});

test.each([
  [{ a: 1, b: undefined }, { a: 1 }, true],
  [{ a: 1 }, { a: 1, b: undefined }, true],
  [{ a: undefined }, { b: 1 }, false],
  [{ a: 1, b: 2 }, { b: 2, a: 1 }, true],
  [[1, 2], [2, 1], false],
  [[], {}, false],
  [{}, null, false],
  [JSON.parse('{"__proto__":1}'), {}, false],
  [{}, JSON.parse('{"__proto__":1}'), false],
])('%j and %j', (a: unknown, b: unknown, same) => {
  expect(sameJson(a, b)).toBe(same);
});
