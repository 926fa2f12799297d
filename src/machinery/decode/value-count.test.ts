import { expect, test } from 'vitest';
import { isStatusError } from '../status.ts';
import { parseJson } from './json.ts';
import { exceedsValues, maxValues } from './value-count.ts';

const parse = (text: string): unknown => parseJson(Buffer.from(text), text);
const list = (length: number): string => `[${Array(length).fill('1').join()}]`;

test.each([
  ['elements of a list', (n: number) => list(n)],
  [
    'members of an object',
    (n: number) => `{${Array.from({ length: n }, (_, i) => `"${i}":1`).join()}}`,
  ],
  ['empty objects', (n: number) => `[${Array(n).fill('{}').join()}]`],
  [
    'lists in one another',
    (n: number) =>
      `[${Array(n / 4)
        .fill('[[[1]]]')
        .join()}]`,
  ],
])('a body of too many %s is refused before it is parsed', (_what, bodyOf) => {
  let error: unknown;
  try {
    parse(bodyOf(maxValues * 2));
  } catch (thrown) {
    error = thrown;
  }
  expect(isStatusError(error, 'RequestEntityTooLarge')).toBe(true);
  expect(error).toMatchObject({
    code: 413,
    message: 'Request entity too large: limit is 50000 fields and list items',
  });
});

test('commas and brackets in texts do not count', () => {
  const text = JSON.stringify({ data: ',[{"\\'.repeat(maxValues) });
  expect(parse(text)).toEqual(JSON.parse(text));
});

test('as many values as are allowed are parsed', () => {
  expect(parse(list(maxValues - 1))).toHaveLength(maxValues - 1);
});

test('exceedsValues() counts at every depth', () => {
  const value = { a: [1, 2, { b: null }], c: 'text' };
  expect(exceedsValues(value, 6)).toBe(false);
  expect(exceedsValues(value, 5)).toBe(true);
});
