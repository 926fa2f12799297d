import { describe, expect, test } from 'vitest';
import { PodSchema } from '../../api/core/v1/pod/pod-schema.ts';
import { SecretSchema } from '../../api/core/v1/secret.ts';
import { applyStrategicMerge } from './strategic-merge.ts';

const containers = (...list: object[]): Record<string, unknown> => ({ spec: { containers: list } });
const merge = (target: Record<string, unknown>, patch: Record<string, unknown>): unknown =>
  applyStrategicMerge(PodSchema, target, patch);

describe('applyStrategicMerge()', () => {
  test.each([
    {
      title: 'merges objects, replaces scalars, removes by null',
      target: { metadata: { labels: { a: '1', b: '2' } } },
      patch: { metadata: { labels: { a: null, c: '3' } } },
      result: { metadata: { labels: { b: '2', c: '3' } } },
    },
    {
      title: 'merges a list of objects by its merge key and appends what is new',
      target: containers({ name: 'a', image: 'x' }, { name: 'b', image: 'y' }),
      patch: containers({ name: 'b', image: 'z' }, { name: 'c', image: 'w' }),
      result: containers(
        { name: 'a', image: 'x' },
        { name: 'b', image: 'z' },
        { name: 'c', image: 'w' },
      ),
    },
    {
      title: '$patch: delete takes an element out',
      target: containers({ name: 'a' }, { name: 'b' }),
      patch: containers({ name: 'a', $patch: 'delete' }),
      result: containers({ name: 'b' }),
    },
    {
      title: '$patch: replace sets a list anew',
      target: containers({ name: 'a' }, { name: 'b' }),
      patch: containers({ name: 'c' }, { $patch: 'replace' }),
      result: containers({ name: 'c' }),
    },
    {
      title: '$patch: replace sets an object anew',
      target: { metadata: { labels: { a: '1' }, name: 'n' } },
      patch: { metadata: { labels: { $patch: 'replace', b: '2' } } },
      result: { metadata: { labels: { b: '2' }, name: 'n' } },
    },
    {
      title: '$setElementOrder orders the merged list',
      target: containers({ name: 'a' }, { name: 'b' }),
      patch: {
        spec: {
          $setElementOrder: undefined,
          '$setElementOrder/containers': [{ name: 'c' }, { name: 'b' }, { name: 'a' }],
          containers: [{ name: 'c' }],
        },
      },
      result: containers({ name: 'c' }, { name: 'b' }, { name: 'a' }),
    },
    {
      title: '$deleteFromPrimitiveList takes values out of a merged list of scalars',
      target: { metadata: { finalizers: ['a', 'b'] } },
      patch: { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'], finalizers: ['c'] } },
      result: { metadata: { finalizers: ['b', 'c'] } },
    },
    {
      title: '$retainKeys drops the other keys of the object',
      target: { spec: { volumes: [{ name: 'v', emptyDir: {} }] } },
      patch: {
        spec: {
          volumes: [{ name: 'v', $retainKeys: ['name', 'secret'], secret: { secretName: 's' } }],
        },
      },
      result: { spec: { volumes: [{ name: 'v', secret: { secretName: 's' } }] } },
    },
    {
      title: 'replaces lists that do not merge',
      target: containers({ name: 'a', command: ['x', 'y'] }),
      patch: containers({ name: 'a', command: ['z'] }),
      result: containers({ name: 'a', command: ['z'] }),
    },
    {
      title: 'strips directives from content that is new',
      target: {},
      patch: { spec: { containers: [{ name: 'a', env: [{ name: 'gone', $patch: 'delete' }] }] } },
      result: { spec: { containers: [{ name: 'a', env: [] }] } },
    },
  ])('$title', ({ target, patch, result }) => {
    expect(merge(target, patch)).toEqual(result);
  });

  test('changes neither argument', () => {
    const target = { metadata: { labels: { a: '1' } } };
    merge(target, { metadata: { labels: { b: '2' } } });
    expect(target).toEqual({ metadata: { labels: { a: '1' } } });
  });

  test('refuses an element without its merge key', () => {
    expect(() => merge(containers({ name: 'a' }), containers({ image: 'x' }))).toThrow(
      'does not contain declared merge key: name',
    );
  });

  test('maps of a Secret merge by key', () => {
    expect(
      applyStrategicMerge(SecretSchema, { data: { a: 'MQ==' } }, { data: { b: 'Mg==' } }),
    ).toEqual({
      data: { a: 'MQ==', b: 'Mg==' },
    });
  });
});
