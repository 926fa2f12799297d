// Before what it counts.
import { countSteps } from '../../../test/support/count-steps.ts';
import { describe, expect, test } from 'vitest';
import { configMapResource } from '../../api/core/v1/configmap.ts';
import { podResource } from '../../api/core/v1/pod.ts';
import { secretResource } from '../../api/core/v1/secret.ts';
import { clusterRoleResource } from '../../api/rbac.authorization.k8s.io/v1/cluster-role.ts';
import { roleBindingResource } from '../../api/rbac.authorization.k8s.io/v1/role-binding.ts';
import { checkStructure } from '../../machinery/decode/structure.ts';
import type { KubeObject } from '../../machinery/meta.ts';
import { applyJsonPatch } from '../../machinery/patch/json-patch.ts';
import { applyMergePatch } from '../../machinery/patch/merge-patch.ts';
import { PatchError } from '../../machinery/patch/patch-error.ts';
import { applyStrategicMerge } from '../../machinery/patch/strategic-merge.ts';
import { apiVersionOf, type ResourceDescriptor } from '../../machinery/resource.ts';
import { StatusError } from '../../machinery/status.ts';
import { decode } from '../negotiation/decode.ts';
import { jsonPatch, mergePatch, parsePatch, strategicMergePatch } from './patch-body.ts';
import { checkUpdate, mustBeValid, strategyContext } from './write-rules.ts';

/*
 * Every step from a body's bytes to the answer is linear in the body. Sizes are doubled, and steps are
 * counted, not time: what is quadratic quadruples.
 */

const anyResource = <T extends KubeObject>(descriptor: ResourceDescriptor<T>): ResourceDescriptor =>
  descriptor;
const pods = anyResource(podResource);
const secrets = anyResource(secretResource);
const configMaps = anyResource(configMapResource);
const clusterRoles = anyResource(clusterRoleResource);
const roleBindings = anyResource(roleBindingResource);

/** Refusals are answers too. */
async function answer(work: () => Promise<void> | void): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof StatusError) expect(JSON.stringify(error.status).length).toBeLessThan(1e6);
    else if (!(error instanceof PatchError)) throw error;
  }
}

const write = (descriptor: ResourceDescriptor, body: string | Buffer, contentType: string) =>
  answer(() => {
    const { schema, kind } = descriptor;
    const expected = { apiVersion: apiVersionOf(descriptor), kind, schema };
    const options = { contentType, fieldValidation: 'Warn' } as const;
    const decoded = decode(Buffer.from(body as string), expected, options);
    const warnings = [...decoded.warnings];
    const object = decoded.value as unknown as KubeObject;
    object.metadata ??= {};
    descriptor.applyDefaults?.(object);
    descriptor.prepareForCreate?.(object, strategyContext());
    mustBeValid(object, descriptor);
    warnings.push(...(descriptor.warnings?.(object) ?? []));
    expect(warnings.length).toBeLessThan(400);
    checkUpdate(structuredClone(object), object, {
      descriptor,
      strategy: descriptor.update,
      context: strategyContext(),
    });
    for (const column of descriptor.columns) column.cell(object, 0);
  });

const change = (descriptor: ResourceDescriptor, current: object, patch: object, type: string) =>
  answer(() => {
    const { value } = parsePatch(Buffer.from(JSON.stringify(patch)), type, 'Warn');
    const target = current as Record<string, unknown>;
    const patched =
      type === jsonPatch
        ? applyJsonPatch(target, value)
        : type === mergePatch
          ? applyMergePatch(target, value)
          : applyStrategicMerge(descriptor.schema, target, value as Record<string, unknown>);
    checkStructure(descriptor.schema, patched);
  });

const list = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const map = <T>(count: number, make: (i: number) => T): Record<string, T> =>
  Object.fromEntries(list(count, i => [`k${i}`, make(i)]));
const json = (value: unknown): string => JSON.stringify(value);

const pod = (spec: object, metadata: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'ns', ...metadata },
  spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
});
const container = (fields: object): object =>
  pod({ containers: [{ name: 'c', image: 'i', ...fields }] });
const volume = (source: object): object => pod({ volumes: [{ name: 'v', ...source }] });
const meta = { name: 'x', namespace: 'ns' };
const items = (count: number, path: (i: number) => string): object[] =>
  list(count, i => ({ key: 'k', path: path(i) }));
const secret = (data: object): object => ({ metadata: meta, data });

const objects: Record<string, (n: number) => [ResourceDescriptor, object]> = {
  'items of distinct paths': n => [
    pods,
    volume({ secret: { secretName: 's', items: items(n, i => `p${i}`) } }),
  ],
  'items of one path': n => [
    pods,
    volume({ secret: { secretName: 's', items: items(n, () => 'p') } }),
  ],
  'items in one another': n => [
    pods,
    volume({ configMap: { name: 's', items: items(n, i => `a/p${i}/x`) } }),
  ],
  'projected sources': n => [
    pods,
    volume({
      projected: {
        sources: list(n, i => ({ secret: { name: `s${i}`, items: items(20, j => `p${i}-${j}`) } })),
      },
    }),
  ],
  'projected sources of equal paths': n => [
    pods,
    volume({
      projected: {
        sources: list(n, i => ({ secret: { name: `s${i}`, items: items(20, j => `p${j}`) } })),
      },
    }),
  ],
  'downward files': n => [
    pods,
    volume({
      downwardAPI: {
        items: list(n, i => ({
          path: `p${i}`,
          resourceFieldRef: { containerName: 'c', resource: 'limits.cpu', divisor: '3' },
        })),
      },
    }),
  ],
  'modes meant as octal': n => [
    pods,
    volume({
      secret: { secretName: 's', items: list(n, i => ({ key: 'k', path: `p${i}`, mode: 400 })) },
    }),
  ],
  'invalid containers': n => [pods, pod({ containers: list(n, () => ({ name: 'BAD NAME' })) })],
  'empty containers': n => [pods, pod({ containers: list(n, () => ({})) })],
  'containers and volumes': n => [
    pods,
    pod({
      containers: list(n, i => ({
        name: `c${i}`,
        image: 'i',
        volumeMounts: [{ name: 'v1', mountPath: '/a' }],
      })),
      initContainers: list(n, i => ({ name: `i${i}`, image: 'i' })),
      volumes: list(n, i => ({ name: `v${i}`, emptyDir: {} })),
    }),
  ],
  'mounts of one path': n => [
    pods,
    container({ volumeMounts: list(n, () => ({ name: 'x', mountPath: '/a' })) }),
  ],
  'ports of one number': n => [
    pods,
    container({ ports: list(n, i => ({ containerPort: 80, hostPort: 1 + (i % 60_000) })) }),
  ],
  'equal ports': n => [
    pods,
    container({ ports: list(n, () => ({ name: 'http', containerPort: 80 })) }),
  ],
  environment: n => [pods, container({ env: list(n, i => ({ name: `A${i}`, value: '$(A1)' })) })],
  'repeated environment': n => [
    pods,
    container({ env: list(n, () => ({ name: 'A', value: 'x' })) }),
  ],
  'null environment': n => [pods, container({ env: list(4 * n, () => null) })],
  'environment of sources': n => [pods, container({ envFrom: list(4 * n, () => ({})) })],
  'field paths': n => [
    pods,
    container({
      env: list(n, () => ({ name: 'A', valueFrom: { fieldRef: { fieldPath: "a['" } } })),
    }),
  ],
  limits: n => [
    pods,
    container({ resources: { limits: map(n, i => i), requests: map(n, i => i + 1) } }),
  ],
  'host aliases': n => [pods, pod({ hostAliases: list(n, () => ({ ip: '10.0.0.1' })) })],
  'pull secrets': n => [pods, pod({ imagePullSecrets: list(n, () => ({ name: 's' })) })],
  tolerations: n => [
    pods,
    pod({ tolerations: list(n, i => ({ key: `k${i}`, operator: 'Exists' })) }),
  ],
  'readiness gates': n => [
    pods,
    pod({ readinessGates: list(n, i => ({ conditionType: `g${i}` })) }),
  ],
  labels: n => [pods, pod({}, { labels: map(n, () => 'v') })],
  'invalid labels': n => [pods, pod({}, { labels: map(n, () => '-') })],
  annotations: n => [pods, pod({}, { annotations: map(n, () => 'v') })],
  finalizers: n => [
    pods,
    pod(
      {},
      { finalizers: list(n, i => `example.com/f${i}`), deletionTimestamp: '2026-01-01T00:00:00Z' },
    ),
  ],
  'invalid finalizers': n => [pods, pod({}, { finalizers: list(n, i => `f${i}`) })],
  'owners that all control': n => [
    pods,
    pod(
      {},
      {
        ownerReferences: list(n, i => ({
          apiVersion: 'v1',
          kind: 'Pod',
          name: 'o',
          uid: `u${i}`,
          controller: true,
        })),
      },
    ),
  ],
  'data of a secret': n => [secrets, secret(map(n, () => 'YQ=='))],
  'invalid keys': n => [secrets, secret(Object.fromEntries(list(n, i => [`!${i}`, ''])))],
  'data of a config map, twice': n => [
    configMaps,
    { metadata: meta, data: map(n, () => 'a'), binaryData: map(n, () => 'YQ==') },
  ],
  'unknown fields': n => [secrets, { metadata: meta, ...map(n, () => 1) }],
  rules: n => [
    clusterRoles,
    {
      metadata: { name: 'x' },
      rules: list(n, () => ({ verbs: [], nonResourceURLs: ['/a'], resources: ['r'] })),
    },
  ],
  selectors: n => [
    clusterRoles,
    {
      metadata: { name: 'x' },
      aggregationRule: {
        clusterRoleSelectors: [
          {
            matchLabels: map(n, () => '-'),
            matchExpressions: list(n, () => ({ key: 'a', operator: 'In', values: ['-'] })),
          },
        ],
      },
    },
  ],
  subjects: n => [
    roleBindings,
    {
      metadata: meta,
      roleRef: { kind: 'Role', name: 'r' },
      subjects: list(n, i => ({ kind: 'User', name: `u${i}` })),
    },
  ],
};

const texts: Record<string, (n: number) => string> = {
  'duplicate fields': n => `{"data":{${'"k":"",'.repeat(n)}"k":""}}`,
  'duplicate fields of many objects': n => `{"x":[${'{"a":1,"a":2},'.repeat(n)}1]}`,
  'duplicate fields far down': n =>
    `${'{"a":'.repeat(n)}{${'"b":1,'.repeat(n)}"b":1}${'}'.repeat(n)}`,
  'duplicates of duplicates': n => `{${'"a":{"b":1,"b":1},'.repeat(4 * n)}"a":1}`,
  'duplicate long names': n =>
    `{"${'k'.repeat(n)}":{${list(n, i => `"${i}":1,"${i}":1`).join(',')}}}`,
  escapes: n => `{"a":"${'\\"'.repeat(n)}","a":"${'\\\\'.repeat(n)}"}`,
  'deep lists': n => `{"x":${'['.repeat(n)}${']'.repeat(n)}}`,
  broken: n => `{"x":[${'1,'.repeat(n)}`,
  quantities: n =>
    `{"apiVersion":"v1","kind":"Pod","spec":{"overhead":{${list(n, i => `"k${i}":"1e${'9'.repeat(i % 20)}"`).join(',')}}}}`,
};

const varint = (value: number): number[] =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
const field = (number: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(content.length)]), content]);
const envelope = (content: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from('k8s\0'),
    field(1, Buffer.concat([field(1, Buffer.from('v1')), field(2, Buffer.from('Pod'))])),
    field(2, content),
  ]);
const protobufs: Record<string, (n: number) => Buffer> = {
  'empty containers': n => envelope(field(2, Buffer.alloc(2 * n, Buffer.from([0x12, 0])))),
  'unknown numbers': n => envelope(Buffer.alloc(2 * n, Buffer.from([0x78, 0]))),
  'the spec, again and again': n => envelope(Buffer.alloc(4 * n, field(2, Buffer.from([0x12, 0])))),
  labels: n =>
    envelope(field(1, Buffer.concat(list(n, i => field(11, field(1, Buffer.from(`l${i}`))))))),
};

const paths = (n: number): object => ({ metadata: meta, data: map(n, () => 'YQ==') });
const patches: Record<string, (n: number) => [ResourceDescriptor, object, object, string]> = {
  'merge of many keys': n => [secrets, paths(n), { data: map(n, () => 'Yg==') }, mergePatch],
  'merge that removes many keys': n => [
    secrets,
    paths(n),
    { data: map(n, () => null) },
    mergePatch,
  ],
  'JSON patch of many keys': n => [
    secrets,
    paths(n),
    list(n, i => ({ op: 'replace', path: `/data/k${i}`, value: '' })),
    jsonPatch,
  ],
  'JSON patch that appends': n => [
    pods,
    container({ args: [] }),
    list(n, () => ({ op: 'add', path: '/spec/containers/0/args/-', value: 'x' })),
    jsonPatch,
  ],
  $deleteFromPrimitiveList: n => [
    pods,
    pod({}, { finalizers: list(n, i => `f${i}`) }),
    { metadata: { '$deleteFromPrimitiveList/finalizers': list(n, i => `f${i * 2}`) } },
    strategicMergePatch,
  ],
  $retainKeys: n => [
    secrets,
    paths(n),
    { data: { $retainKeys: list(n, i => `k${i * 2}`) } },
    strategicMergePatch,
  ],
  $setElementOrder: n => [
    pods,
    pod({ containers: list(n, i => ({ name: `c${i}` })) }),
    { spec: { '$setElementOrder/containers': list(n, i => ({ name: `c${n - i}` })) } },
    strategicMergePatch,
  ],
  'merge by key': n => [
    pods,
    container({ env: list(n, i => ({ name: `A${i}` })) }),
    {
      spec: { containers: [{ name: 'c', env: list(n, i => ({ name: `A${n - i}`, value: 'x' })) }] },
    },
    strategicMergePatch,
  ],
  'deletion by key': n => [
    pods,
    container({ env: list(n, i => ({ name: `A${i}` })) }),
    {
      spec: {
        containers: [{ name: 'c', env: list(n, i => ({ name: `A${i * 2}`, $patch: 'delete' })) }],
      },
    },
    strategicMergePatch,
  ],
  'one large element, merged again and again': n => [
    pods,
    container({ resources: { limits: map(n, () => 1) } }),
    { spec: { containers: list(n, () => ({ name: 'c', resources: { limits: { a: 1 } } })) } },
    strategicMergePatch,
  ],
};

/** At sizes at which a fixed cost does not hide what grows. */
const sizes = [150, 300, 600] as const;

async function expectLinear(stepsAt: (n: number) => Promise<number>): Promise<void> {
  // V8 counts more than it runs the first time.
  await stepsAt(sizes[0]);
  const [a, b, c] = [await stepsAt(sizes[0]), await stepsAt(sizes[1]), await stepsAt(sizes[2])];
  // Twice as much, and what sorting takes above that; the constant stands for what is bounded anyway.
  expect({ growth: (c - b) / (b - a + 1000), steps: [a, b, c] }).toMatchObject({
    growth: expect.toSatisfy((growth: number) => growth < 2.6) as number,
  });
}

describe('work is linear in', () => {
  test.each(Object.entries(objects))('an object: %s', async (_, make) => {
    await expectLinear(n => {
      const [descriptor, object] = make(n);
      const body = json(object);
      return countSteps(() => write(descriptor, body, 'application/json'));
    });
  });

  test.each(Object.entries(texts))('a text: %s', async (_, make) => {
    await expectLinear(n => {
      const body = make(n);
      const descriptor = body.includes('Pod') ? pods : secrets;
      return countSteps(() => write(descriptor, body, 'application/json'));
    });
  });

  test.each(Object.entries(protobufs))('a protobuf message: %s', async (_, make) => {
    await expectLinear(n => {
      const body = make(n);
      return countSteps(() => write(pods, body, 'application/vnd.kubernetes.protobuf'));
    });
  });

  test.each(Object.entries(patches))('a patch: %s', async (_, make) => {
    await expectLinear(n => {
      const [descriptor, current, patch, type] = make(n);
      return countSteps(() => change(descriptor, current, patch, type));
    });
  });
});

/** Repeated work on what is large already: refused beyond a bound. */
const repeated: Record<string, () => [ResourceDescriptor, object, object[] | object, string]> = {
  'moves within a long list': () => [
    pods,
    container({ args: list(100_000, () => '') }),
    list(10_000, () => ({
      op: 'move',
      from: '/spec/containers/0/args/0',
      path: '/spec/containers/0/args/0',
    })),
    jsonPatch,
  ],
  'tests of a large object': () => [
    secrets,
    paths(100_000),
    list(10_000, () => ({ op: 'test', path: '/data', value: {} })),
    jsonPatch,
  ],
  'copies of copies': () => [
    secrets,
    paths(10),
    list(1000, i => ({ op: 'copy', from: '/data', path: `/data/c${i}` })),
    jsonPatch,
  ],
  'copies into one another': () => [
    secrets,
    { ...paths(0), x: {} },
    list(5000, () => ({ op: 'move', from: '/x', path: '/y/x' }))
      .flatMap(move => [
        { op: 'add', path: '/y', value: {} },
        move,
        { op: 'move', from: '/y', path: '/x' },
      ])
      .slice(0, 9999)
      .concat({ op: 'copy', from: '/x', path: '/z' }),
    jsonPatch,
  ],
  'one list, merged again and again': () => [
    pods,
    container({ env: list(20_000, i => ({ name: `A${i}` })) }),
    {
      spec: { containers: list(20_000, () => ({ name: 'c', env: [{ name: 'A1', value: 'x' }] })) },
    },
    strategicMergePatch,
  ],
  'one list, ordered again and again': () => [
    pods,
    container({ env: list(20_000, i => ({ name: `A${i}` })) }),
    {
      spec: {
        containers: list(20_000, () => ({ name: 'c', '$setElementOrder/env': [{ name: 'A1' }] })),
      },
    },
    strategicMergePatch,
  ],
};

test.each(Object.entries(repeated))('work is bounded for %s', async (_, make) => {
  const [descriptor, current, patch, type] = make();
  const bytes = JSON.stringify([current, patch]).length;
  const steps = await countSteps(() => change(descriptor, current, patch, type));
  expect(steps).toBeLessThan(20 * bytes + 20_000_000);
});
