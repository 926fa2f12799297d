import { expect, test } from 'vitest';
import { normalBase64 } from './base64.ts';

test.each([
  ['!!!!', 0],
  ['%%%', 0],
  ['====', 0],
  ['x===', 1],
  ['=AAA', 0],
  ['A=AA', 1],
  ['AA=A', 2],
  ['AA==A', 4],
  ['AAA=AAAA', 4],
  ['AAAAA', 4],
  ['AAAAAA', 4],
  ['A', 0],
  ['YQ', 0],
  ['YWJ', 0],
  ['A=', 1],
  ['A==', 1],
  ['AA=', 3],
  ['AA=\n', 4],
  ['AAAAAA=', 7],
  ['YWJjZA=====', 8],
  ['A!\n', 1],
  ['YW Jj', 2],
  ['YWJj-_==', 4],
  ['YWJjä', 4],
])('normalBase64(%j) is refused at byte %i', (text, at) => {
  expect(() => normalBase64(text)).toThrow(
    expect.objectContaining({ message: `illegal base64 data at input byte ${at}` }),
  );
});

test.each([
  ['', ''],
  ['\n', ''],
  ['AAA=\n', 'AAA='],
  ['Y\r\nQ=\n=\n', 'YQ=='],
  ['Zh==', 'Zg=='],
  ['AAAAZh==', 'AAAAZg=='],
  ['YWJ/', 'YWJ/'],
])('normalBase64(%j) is %j', (text, normal) => {
  expect(normalBase64(text)).toBe(normal);
});
