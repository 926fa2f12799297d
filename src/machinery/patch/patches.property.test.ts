import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { PodSchema } from '../../api/core/v1/pod/pod-schema.ts';
import { applyJsonPatch } from './json-patch.ts';
import { applyMergePatch, isRecord } from './merge-patch.ts';
import { PatchError } from './patch-error.ts';
import { applyStrategicMerge } from './strategic-merge.ts';

type Json = Record<string, unknown>;

const name = fc.constantFrom(
  'a',
  'b',
  'containers',
  'env',
  'name',
  '__proto__',
  'constructor',
  '0',
);
const { value, object } = fc.letrec<{ value: unknown; object: Json }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(null, true, 0, 1e308, '', 'x'),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc
    .array(fc.tuple(name, tie('value')), { maxLength: 5 })
    .map(entries => Object.fromEntries(entries)),
}));

/** What a patch makes, or that it was refused; nothing else may come of it, and no argument may change. */
function outcome(apply: () => unknown, ...given: unknown[]): unknown {
  const before = JSON.stringify(given);
  try {
    return apply();
  } catch (error) {
    expect(error).toBeInstanceOf(PatchError);
    return 'refused';
  } finally {
    expect(JSON.stringify(given)).toBe(before);
  }
}

/** RFC 7386, word for word. */
function mergedByTheBook(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const merged = new Map(isRecord(target) ? Object.entries(target) : []);
  for (const [key, each] of Object.entries(patch)) {
    if (each === null) merged.delete(key);
    else merged.set(key, mergedByTheBook(merged.get(key), each));
  }
  return Object.fromEntries(merged);
}

test('a merge patch does what RFC 7386 says', () => {
  fc.assert(
    fc.property(value, value, (target, patch) => {
      const merged = outcome(() => applyMergePatch(target, patch), target, patch);
      expect(merged).toEqual(mergedByTheBook(target, patch));
    }),
  );
});

const pointer = fc
  .array(fc.oneof(name, fc.constantFrom('-', '1', '~1', '~0')), { maxLength: 4 })
  .map(segments => segments.map(each => `/${each}`).join(''));
const operation = fc.record({
  op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'constructor'),
  path: pointer,
  from: pointer,
  value,
});

test('a JSON patch is applied or refused, and leaves its document alone', () => {
  fc.assert(
    fc.property(value, fc.array(operation, { maxLength: 20 }), (document, patch) => {
      outcome(() => applyJsonPatch(document, patch), document, patch);
    }),
    { numRuns: 500 },
  );
});

test('what was added passes its test, and is gone when it was removed', () => {
  fc.assert(
    fc.property(object, value, (document, added) => {
      const tested = [
        { op: 'add', path: '/new', value: added },
        { op: 'test', path: '/new', value: added },
        { op: 'remove', path: '/new' },
      ];
      expect(applyJsonPatch(document, tested)).toEqual(document);
    }),
  );
});

const element = fc.record(
  {
    name: fc.constantFrom('a', 'b', 'c'),
    image: fc.constantFrom('i', 'j'),
    $patch: fc.constantFrom('delete', 'replace', 'merge'),
    env: fc.array(fc.record({ name: fc.constantFrom('x', 'y'), value: fc.string() }), {
      maxLength: 3,
    }),
    '$setElementOrder/env': fc.array(fc.record({ name: fc.constantFrom('x', 'y') }), {
      maxLength: 3,
    }),
  },
  { requiredKeys: ['name'] },
);
const pod = fc.record({
  spec: fc.record({
    containers: fc.uniqueArray(
      fc.record({
        name: fc.constantFrom('a', 'b', 'c'),
        env: fc.uniqueArray(fc.record({ name: fc.constantFrom('x', 'y'), value: fc.string() }), {
          selector: each => each.name,
        }),
      }),
      { selector: each => each.name },
    ),
  }),
});

test('a strategic merge is done or refused, and leaves its arguments alone', () => {
  const patch = fc.record({
    spec: fc.record({ containers: fc.array(fc.oneof(element, value), { maxLength: 6 }) }),
    metadata: object,
  });
  fc.assert(
    fc.property(pod, patch, (target, given) => {
      outcome(() => applyStrategicMerge(PodSchema, target, given), target, given);
    }),
    { numRuns: 500 },
  );
});

test('several elements of one key do what as many patches would', () => {
  fc.assert(
    fc.property(pod, fc.array(element, { maxLength: 5 }), (target, elements) => {
      fc.pre(elements.every(each => each.$patch === undefined));
      const patchOf = (containers: unknown[]): Json => ({ spec: { containers } });
      const together = applyStrategicMerge(PodSchema, target, patchOf(elements));
      let inTurn: Json = target;
      for (const each of elements) {
        inTurn = applyStrategicMerge(PodSchema, inTurn, patchOf([each]));
      }
      expect(together).toEqual(inTurn);
    }),
  );
});
