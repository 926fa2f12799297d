import { describe, expect, test } from 'vitest';
import { applyJsonPatch } from './json-patch.ts';
import { SecretSchema } from '../../api/core/v1/secret.ts';
import { applyMergePatch } from './merge-patch.ts';
import { applyStrategicMerge } from './strategic-merge.ts';

describe('applyJsonPatch()', () => {
  test.each([
    ['add to an object', { a: 1 }, [{ op: 'add', path: '/b', value: 2 }], { a: 1, b: 2 }],
    ['add into a list', { a: [1, 3] }, [{ op: 'add', path: '/a/1', value: 2 }], { a: [1, 2, 3] }],
    ['add at the end', { a: [1] }, [{ op: 'add', path: '/a/-', value: 2 }], { a: [1, 2] }],
    ['remove', { a: 1, b: 2 }, [{ op: 'remove', path: '/a' }], { b: 2 }],
    ['replace', { a: 1 }, [{ op: 'replace', path: '/a', value: 2 }], { a: 2 }],
    ['move', { a: 1 }, [{ op: 'move', from: '/a', path: '/b' }], { b: 1 }],
    ['copy', { a: [1] }, [{ op: 'copy', from: '/a', path: '/b' }], { a: [1], b: [1] }],
    [
      'test, then go on',
      { a: 1 },
      [
        { op: 'test', path: '/a', value: 1 },
        { op: 'remove', path: '/a' },
      ],
      {},
    ],
    [
      'escaped names',
      { 'x/y': 1, 'm~n': 2 },
      [
        { op: 'remove', path: '/x~1y' },
        { op: 'remove', path: '/m~0n' },
      ],
      {},
    ],
    [
      'a name that is a trap',
      {},
      [{ op: 'add', path: '/__proto__', value: { polluted: true } }],
      JSON.parse('{"__proto__":{"polluted":true}}'),
    ],
  ])('%s', (_title, document, patch, result) => {
    expect(applyJsonPatch(document, patch)).toEqual(result);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test.each([
    [
      'a missing path',
      [{ op: 'remove', path: '/b' }],
      'remove operation does not apply: doc is missing path: "/b"',
    ],
    [
      'replace of what is not there',
      [{ op: 'replace', path: '/b', value: 1 }],
      'replace operation does not apply',
    ],
    ['a failed test', [{ op: 'test', path: '/a', value: 2 }], 'testing value /a failed'],
    ['an unknown operation', [{ op: 'jump', path: '/a' }], 'Unexpected kind: jump'],
    [
      'an index past the end',
      [{ op: 'add', path: '/l/7', value: 1 }],
      'add operation does not apply',
    ],
    [
      'removal of the whole document',
      [{ op: 'remove', path: '' }],
      'remove operation does not apply: doc is missing path: ""',
    ],
    [
      'a path without a slash',
      [{ op: 'add', path: 'b', value: 1 }],
      'add operation does not apply: doc is missing path: "b"',
    ],
    [
      'a test of a path without a slash',
      [{ op: 'test', path: 'b', value: 1 }],
      'test operation does not apply',
    ],
    ['a source that is no text', [{ op: 'move', path: '/b', from: 5 }], 'missing from'],
  ])('refuses %s', (_title, patch, message) => {
    expect(() => applyJsonPatch({ a: 1, l: [] }, patch)).toThrow(message);
  });
});

test('applyJsonPatch() does not let copies of copies fill the memory', () => {
  const doubling = Array.from({ length: 40 }, (_, i) => ({
    op: 'copy',
    from: '/a',
    path: `/a/k${i}`,
  }));
  expect(() => applyJsonPatch({ a: { b: 'x'.repeat(1000) } }, doubling)).toThrow(
    /^Unable to complete the copy, the accumulated size increase of copy is \d+, exceeding the limit 3145728$/,
  );
});

describe('a document that operations make ever deeper', () => {
  const deepened = Array.from({ length: 20 }, (_, i) => ({
    op: 'add',
    path: '/a'.repeat(900 * i + 1),
    value: JSON.parse(`${'{"a":'.repeat(900)}{}${'}'.repeat(900)}`) as unknown,
  }));
  test.each([
    ['is refused', [], 'exceeded max depth'],
    ['cannot be copied', [{ op: 'copy', from: '/a', path: '/b' }], 'exceeded max depth'],
    ['is compared no deeper than asked', [{ op: 'test', path: '/a', value: {} }], 'test failed'],
  ])('%s', (_, more, message) => {
    expect(() => applyJsonPatch({}, [...deepened, ...more])).toThrow(message);
  });
});

test('a key that is a trap is a key as any other in every patch', () => {
  const patch = JSON.parse('{"data":{"__proto__":"x","constructor":"y"}}') as Record<
    string,
    unknown
  >;
  const result = '{"data":{"a":"b","__proto__":"x","constructor":"y"}}';
  const target = { data: { a: 'b' } };
  expect(JSON.stringify(applyMergePatch(target, patch))).toBe(result);
  expect(JSON.stringify(applyStrategicMerge(SecretSchema, target, patch))).toBe(result);
  const replaced = applyJsonPatch(JSON.parse(result), [
    { op: 'replace', path: '/data/__proto__', value: 'z' },
  ]);
  expect(JSON.stringify(replaced)).toBe('{"data":{"a":"b","__proto__":"z","constructor":"y"}}');
});

test.each([
  [{ a: 1, b: { c: 2 } }, { a: null, b: { d: 3 } }, { b: { c: 2, d: 3 } }],
  [{ a: [1, 2] }, { a: [3] }, { a: [3] }],
  [{ a: 'x' }, { a: { b: null, c: 1 } }, { a: { c: 1 } }],
])('applyMergePatch(%j, %j) is %j', (target, patch, result) => {
  expect(applyMergePatch(target, patch)).toEqual(result);
});
