import { inNamespace, type Abuse, type AbuseContext } from '../support/abuse.ts';
import type { Call } from '../support/client.ts';
import { flood, joined } from '../support/sending.ts';

type Kind = 'json-patch' | 'merge-patch' | 'strategic-merge-patch';

const patch = (
  resource: 'pods' | 'secrets',
  kind: Kind,
  body: string,
  name: 'target' | 'large' = 'target',
): Call => ({
  method: 'PATCH',
  path: `${inNamespace(resource)}/${name}?dryRun=All`,
  body,
  contentType: `application/${kind}+json`,
});

/** Operations of a JSON patch, as many as one may have. */
const operations = (of: (i: number) => object, count = 10_000): string =>
  `[${joined(count, i => JSON.stringify(of(i)))}]`;

const value = 'dmFsdWU=';
/** A secret of 20,000 keys and a pod with 5,000 finalizers, to be patched. */
async function targets({ admin }: AbuseContext): Promise<void> {
  const data = joined(20_000, i => `"k${i}":"${value}"`);
  const finalizers = joined(5000, i => `"example.com/f${i}"`);
  await admin.mustCall({
    method: 'POST',
    path: inNamespace('secrets'),
    body: `{"metadata":{"name":"target","finalizers":[${finalizers}]},"data":{${data}}}`,
  });
  const containers = joined(12_000, i => `{"name":"a${i}","image":"i"}`);
  await admin.mustCall({
    method: 'POST',
    path: inNamespace('pods'),
    body: `{"metadata":{"name":"large"},"spec":{"containers":[${containers}]}}`,
  });
  await admin.mustCall({
    method: 'POST',
    path: inNamespace('pods'),
    body: `{"metadata":{"name":"target"},"spec":{"containers":[{"name":"c","image":"i"}]}}`,
  });
}

async function removeTargets({ admin }: AbuseContext): Promise<void> {
  await admin.mustCall({
    method: 'PATCH',
    path: `${inNamespace('secrets')}/target`,
    body: '{"metadata":{"finalizers":null}}',
    contentType: 'application/merge-patch+json',
  });
  for (const object of ['secrets/target', 'pods/target', 'pods/large'])
    await admin.mustCall({
      method: 'DELETE',
      path: `${inNamespace(object)}?gracePeriodSeconds=0`,
    });
}

const accepted = ['2xx'] as const;
const decided = ['2xx', '4xx'] as const;
const names = (count: number, prefix: string): string => joined(count, i => `"${prefix}${i}"`);
const deep = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

const abuses: readonly (Pick<Abuse, 'name' | 'quick'> & {
  call: () => Call;
  /** Within all limits: it has to succeed. */
  succeeds?: true;
})[] = [
  {
    name: '390 moves from the front of a list of 5,000 to its end',
    succeeds: true,
    call: () =>
      patch(
        'secrets',
        'json-patch',
        operations(
          () => ({ op: 'move', from: '/metadata/finalizers/0', path: '/metadata/finalizers/-' }),
          390,
        ),
      ),
  },
  {
    name: '10,000 moves from the front of a list of 5,000 to its end',
    quick: true,
    call: () =>
      patch(
        'secrets',
        'json-patch',
        operations(() => ({
          op: 'move',
          from: '/metadata/finalizers/0',
          path: '/metadata/finalizers/-',
        })),
      ),
  },
  {
    name: '10,000 moves of a member of a large object',
    succeeds: true,
    call: () =>
      patch(
        'secrets',
        'json-patch',
        operations(i => ({ op: 'move', from: `/data/k${i}`, path: `/data/m${i}` })),
      ),
  },
  {
    name: '10,000 moves of one member of a large object to and fro',
    succeeds: true,
    call: () =>
      patch(
        'secrets',
        'json-patch',
        operations(i =>
          i % 2 === 0
            ? { op: 'move', from: '/data', path: '/other' }
            : { op: 'move', from: '/other', path: '/data' },
        ),
      ),
  },
  {
    name: 'copies that double what they copy, 10,000 times',
    quick: true,
    call: () =>
      patch(
        'pods',
        'json-patch',
        operations(i =>
          i === 0
            ? { op: 'add', path: '/spec/affinity', value: { a: 'x'.repeat(1000) } }
            : { op: 'copy', from: '/spec/affinity', path: `/spec/affinity/b${i}` },
        ),
      ),
  },
  {
    name: '10,000 copies of a small value',
    succeeds: true,
    call: () =>
      patch(
        'secrets',
        'json-patch',
        operations(i => ({ op: 'copy', from: '/data/k1', path: `/data/c${i}` })),
      ),
  },
  {
    name: '10,000 copies to the front of a list',
    call: () =>
      patch(
        'secrets',
        'json-patch',
        operations(() => ({
          op: 'copy',
          from: '/metadata/finalizers/0',
          path: '/metadata/finalizers/0',
        })),
      ),
  },
  {
    name: 'a test of 20,000 keys and 5,000 of one',
    succeeds: true,
    call: () =>
      patch(
        'secrets',
        'json-patch',
        `[{"op":"test","path":"/data","value":{${joined(20_000, i => `"k${i}":"${value}"`)}}},${joined(5000, () => `{"op":"test","path":"/data/k1","value":"${value}"}`)}]`,
      ),
  },
  {
    name: '9,000 tests with paths of 120 segments',
    call: () =>
      patch(
        'pods',
        'json-patch',
        `[{"op":"add","path":"/spec/affinity","value":${deep(150)}},${joined(9000, () => `{"op":"test","path":"/spec/affinity${'/a'.repeat(120)}","value":{"a":1}}`)}]`,
      ),
  },
  {
    name: 'a path of 1.4 million segments',
    call: () =>
      patch('pods', 'json-patch', `[{"op":"test","path":"${'/a'.repeat(1_400_000)}","value":1}]`),
  },
  {
    name: 'a path of 1.4 million escapes',
    call: () =>
      patch('pods', 'json-patch', `[{"op":"test","path":"/${'~1'.repeat(1_400_000)}","value":1}]`),
  },
  {
    name: '500,000 levels in a JSON patch',
    call: () =>
      patch(
        'pods',
        'json-patch',
        `[{"op":"add","path":"/spec/affinity","value":${deep(500_000)}}]`,
      ),
  },
  {
    name: '10,000 adds that nest what was there before',
    succeeds: true,
    call: () =>
      patch(
        'pods',
        'json-patch',
        operations(i =>
          i === 0
            ? { op: 'add', path: '/spec/affinity', value: {} }
            : i % 2 === 1
              ? { op: 'move', from: '/spec/affinity', path: '/held' }
              : { op: 'add', path: '/spec/affinity', value: { in: 1 } },
        ),
      ),
  },
  {
    name: '49,000 entries in $deleteFromPrimitiveList',
    succeeds: true,
    call: () =>
      patch(
        'secrets',
        'strategic-merge-patch',
        `{"metadata":{"$deleteFromPrimitiveList/finalizers":[${names(49_000, 'example.com/f')}]}}`,
      ),
  },
  {
    name: '48,000 entries in $retainKeys',
    call: () =>
      patch(
        'pods',
        'strategic-merge-patch',
        `{"spec":{"$retainKeys":[${names(24_000, 'k')}],"volumes":[{"name":"v","$retainKeys":[${names(24_000, 'k')}],"emptyDir":{}}]}}`,
      ),
  },
  {
    name: '24,000 entries in $setElementOrder of a list of 24,000 texts',
    succeeds: true,
    call: () =>
      patch(
        'secrets',
        'strategic-merge-patch',
        `{"metadata":{"$setElementOrder/finalizers":[${names(24_000, 'example.com/f')}],"finalizers":[${names(24_000, 'example.com/f')}]}}`,
      ),
  },
  {
    name: '12,000 entries in $setElementOrder of a list of 8,000 objects',
    call: () =>
      patch(
        'pods',
        'strategic-merge-patch',
        `{"spec":{"$setElementOrder/containers":[${joined(12_000, i => `{"name":"c${i}"}`)}],"containers":[${joined(8_000, i => `{"name":"c${i}","image":"i"}`)}]}}`,
      ),
  },
  {
    name: '12,000 elements to merge by their key',
    call: () =>
      patch(
        'pods',
        'strategic-merge-patch',
        `{"spec":{"volumes":[${joined(12_000, i => `{"name":"v${i}","emptyDir":{}}`)}]}}`,
      ),
  },
  {
    name: '16,000 elements to delete by their key',
    succeeds: true,
    call: () =>
      patch(
        'pods',
        'strategic-merge-patch',
        `{"spec":{"containers":[${joined(16_000, i => `{"name":"x${i}","$patch":"delete"}`)}]}}`,
      ),
  },
  {
    name: '49,000 finalizers to merge',
    succeeds: true,
    call: () =>
      patch(
        'secrets',
        'strategic-merge-patch',
        `{"metadata":{"finalizers":[${names(49_000, 'example.com/f')}]}}`,
      ),
  },
  {
    name: 'other images for 12,000 containers',
    succeeds: true,
    call: () =>
      patch(
        'pods',
        'strategic-merge-patch',
        `{"spec":{"containers":[${joined(12_000, i => `{"name":"a${i}","image":"j"}`)}]}}`,
        'large',
      ),
  },
  {
    name: 'a label for a pod of 12,000 containers',
    succeeds: true,
    quick: true,
    call: () => patch('pods', 'merge-patch', '{"metadata":{"labels":{"a":"b"}}}', 'large'),
  },
  {
    name: '100,000 levels in a strategic merge patch',
    call: () => patch('pods', 'strategic-merge-patch', `{"spec":{"affinity":${deep(100_000)}}}`),
  },
  {
    name: '500,000 levels in a merge patch',
    call: () => patch('pods', 'merge-patch', `{"spec":{"affinity":${deep(500_000)}}}`),
  },
  {
    name: '49,000 keys in a merge patch, removed and set by turns',
    succeeds: true,
    call: () =>
      patch(
        'secrets',
        'merge-patch',
        `{"data":{${joined(49_000, i => `"k${i}":${i % 2 === 0 ? 'null' : '""'}`)}}}`,
      ),
  },
];

export const patches: readonly Abuse[] = abuses.map(({ call, succeeds, ...abuse }) => ({
  ...abuse,
  sender: 'namespace admin',
  expects: succeeds === true ? accepted : decided,
  prepare: targets,
  send: flood(call),
  cleanUp: removeTargets,
}));
