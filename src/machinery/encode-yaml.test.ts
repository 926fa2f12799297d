import * as fc from 'fast-check';
import { parse } from 'yaml';
import { expect, test } from 'vitest';
import { parseYaml } from './decode/yaml.ts';
import { writeYaml, yamlPieces } from './encode-yaml.ts';

test('writes what Kubernetes writes', () => {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'mine', labels: {}, finalizers: [], owners: [{ name: 'a', uid: 'b' }, 'c'] },
    immutable: true,
    left: undefined,
    nested: [[1, 2], []],
    script: 'one\n\n  two\n',
  };
  expect(writeYaml(secret)).toBe(`apiVersion: v1
kind: Secret
metadata:
  name: mine
  labels: {}
  finalizers: []
  owners:
  - name: a
    uid: b
  - c
immutable: true
nested:
- - 1
  - 2
- []
script: |
  one

    two
`);
});

test('quotes what a reader would take for more than a text', () => {
  const value = {
    texts: ['yes', 'off', '0400', '0o17', '1e3', '2026-01-02T03:04:05Z', '~', '', 'a: b', 'a:'],
    numbers: [420, 0.5, -3, 1e21],
    plain: `one line, however long: ${'x'.repeat(100)} ${'y'.repeat(100)}`,
    lines: 'a\nb\n',
    none: null,
    [`long key ${'k'.repeat(2000)}`]: { a: 1 },
    y: 'no',
  };
  const text = writeYaml(value);
  expect(parseYaml(text)).toEqual([{ value, duplicateKeys: [] }]);
  expect(text).toContain('- "2026-01-02T03:04:05Z"\n');
});

test('is read back as it was, by readers of 1.1 and 1.2', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({
      unit: fc.constantFrom(' ', '\n', '\t', ':', '#', '-', 'a', '"', '\\', '\u2028', '1'),
    }),
  );
  const keys = texts.filter(key => key !== '__proto__' && key !== '<<');
  const { value } = fc.letrec(tie => ({
    value: fc.oneof(
      { maxDepth: 4 },
      texts,
      fc.boolean(),
      fc.integer(),
      fc.constant(null),
      fc.array(tie('value')),
      fc.dictionary(keys, tie('value'), { noNullPrototype: true }),
    ),
  }));
  fc.assert(
    fc.property(fc.dictionary(keys, value, { noNullPrototype: true, minKeys: 1 }), object => {
      const text = writeYaml(object);
      expect(parse(text, { version: '1.2' })).toEqual(object);
      expect(parseYaml(text)).toEqual([{ value: object, duplicateKeys: [] }]);
    }),
    { numRuns: 150 },
  );
});

test('a large value comes in small pieces', () => {
  const data = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`key-${i}`, 'QQ==']));
  const sizes = [...yamlPieces({ data })].map(piece => piece.length);
  expect(sizes.length).toBeGreaterThan(10);
  expect(Math.max(...sizes)).toBeLessThan(20_000);
});
