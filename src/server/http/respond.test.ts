import { expect, test } from 'vitest';
import { warningHeaders } from './respond.ts';

test.each([
  ['plain', '299 - "plain"'],
  ['unknown field "a\\b"', String.raw`299 - "unknown field \"a\\b\""`],
  ['two\r\nlines\u0000', '299 - "two lines "'],
  ['naïve', `299 - "${Buffer.from('naïve').toString('latin1')}"`],
])('warningHeaders() makes %j a header’s value', (text, header) => {
  expect(warningHeaders([text])).toEqual({ warning: [header] });
});

test('warningHeaders() cuts many long warnings, and leaves out the rest', () => {
  const { warning = [] } = warningHeaders(
    Array.from({ length: 100 }, (_, i) => `${i} ${'x'.repeat(1000)}`),
  );
  expect(warning).toHaveLength(16);
  expect(warning.every(each => each.length === '299 - ""'.length + 256)).toBe(true);
});
