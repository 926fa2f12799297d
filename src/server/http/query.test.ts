import { expect, test } from 'vitest';
import { booleanOf, integerOf } from './query.ts';

test.each([
  ['', false],
  ['watch=0', false],
  ['watch=False', false],
  ['watch=1', true],
  ['watch=maybe', true],
  ['watch=', true],
])('booleanOf(%j) is %s', (query, holds) => {
  expect(booleanOf(new URLSearchParams(query), 'watch')).toBe(holds);
});

test.each([
  ['', undefined],
  ['limit=', undefined],
  ['limit=-1', -1],
  ['limit=9223372036854775807', 9223372036854775807n],
])('integerOf(%j) is %s', (query, value) => {
  expect(integerOf(new URLSearchParams(query), 'limit')).toBe(
    value === undefined ? undefined : Number(value),
  );
});

test.each([
  ['few', 'invalid syntax'],
  ['1e400', 'invalid syntax'],
  ['9223372036854775808', 'value out of range'],
])('integerOf(%j) is refused: %s', (text, why) => {
  expect(() => integerOf(new URLSearchParams({ limit: text }), 'limit')).toThrow(
    `strconv.ParseInt: parsing "${text}": ${why}`,
  );
});
