import { expect, test } from 'vitest';
import { invalid, path, requiredField, validateEach } from './field-error.ts';
import { invalidObject } from './status.ts';

const pod = { group: '', kind: 'Pod' };
const errorsOf = (count: number) =>
  validateEach(Array.from({ length: count }), (_, i) => [requiredField(path('spec').index(i))]);

test('a path is written as Kubernetes writes it', () => {
  expect(path('spec').child('volumes').index(3).child('a', 'b').key('x/y').toString()).toBe(
    'spec.volumes[3].a.b[x/y]',
  );
  expect(path('').child('data').toString()).toBe('data');
});

test.each([
  [1, 1, /^Pod "p" is invalid: spec\[0\]: Required value$/],
  [100, 100, /^Pod "p" is invalid: \[spec\[0\]: .*, spec\[99\]: Required value\]$/],
  [130, 100, /^Pod "p" is invalid: \[spec\[0\]: .*, spec\[99\]: Required value, and 30 more\]$/],
  [200_000, 100, /, spec\[99\]: Required value, and at least 900 more\]$/],
])('of %i errors %i are shown, and the rest is counted', (count, shown, text) => {
  const { message, details } = invalidObject(pod, 'p', errorsOf(count)).status;
  expect(details?.causes).toHaveLength(shown);
  expect(message).toMatch(text);
});

test.each([
  ['a text', 'x'.repeat(3_000_000)],
  ['a list', Array.from({ length: 300_000 }, () => 'x')],
  ['an object', { text: 'x'.repeat(3_000_000) }],
])('of %s that is very long the beginning is shown', (_, value) => {
  const { message } = invalid(path('a'), value, 'must be short');
  expect(message.length).toBeLessThan(1100);
  expect(message).toMatch(/^Invalid value: .*x.*…/s);
});

test('a very long key is cut in the path', () => {
  const { field } = requiredField(path('data').key('k'.repeat(1_000_000)));
  expect(field).toBe(`data[${'k'.repeat(512)}…]`);
});
