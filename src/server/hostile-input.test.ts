import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findResource } from '../../test/support/find-resource.ts';
import { resources } from '../api/index.ts';
import { podResource } from '../api/core/v1/pod.ts';
import { secretResource } from '../api/core/v1/secret.ts';
import { openEnvelope } from '../machinery/decode/protobuf.ts';
import { checkStructure, StructureError } from '../machinery/decode/structure.ts';
import { parseImageName } from '../machinery/image-name.ts';
import { applyJsonPatch } from '../machinery/patch/json-patch.ts';
import { PatchError } from '../machinery/patch/patch-error.ts';
import { applyMergePatch } from '../machinery/patch/merge-patch.ts';
import { applyStrategicMerge } from '../machinery/patch/strategic-merge.ts';
import { parseQuantity, quantityError } from '../machinery/quantity.ts';
import { apiVersionOf, type ResourceDescriptor } from '../machinery/resource.ts';
import { StatusError } from '../machinery/status.ts';
import { createOperationResolver } from './operation/resolve-operation.ts';
import { decodeBody } from './negotiation/decode-body.ts';
import { negotiate } from './negotiation/media-types.ts';
import { decodeContinue } from './registry/continue-token.ts';
import { selectionOf } from './verbs/query-options.ts';
import {
  jsonPatch,
  mergePatch,
  parsePatch,
  patchTypeOf,
  strategicMergePatch,
} from './verbs/patch-body.ts';

/*
 * Whatever comes from outside is either understood or refused: no other error, no prototype changed.
 * The seed is fixed, so that a run can be repeated; the runs are few enough for every test run.
 */
fc.configureGlobal({ seed: 8, numRuns: 300 });

const prototypes = [Object.prototype, Array.prototype, Function.prototype, String.prototype];
const membersOf = () => prototypes.map(each => Reflect.ownKeys(each).map(String));
let before: string[][];
beforeAll(() => {
  before = membersOf();
});
afterAll(() => {
  expect(membersOf()).toEqual(before);
  fc.resetConfigureGlobal();
});

type Refusal = new (...args: never[]) => Error;

/** Runs it: an error has to be of these, and a StatusError the client's fault. */
async function refusesOnlyBy(action: () => unknown, ...refusals: Refusal[]): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (![StatusError, ...refusals].some(each => error instanceof each)) throw error;
    if (error instanceof StatusError) expect(error.code).toBeLessThan(500);
  }
}

const names = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'apiVersion',
  'kind',
  'metadata',
  'name',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
  'data',
  'stringData',
  'spec',
  'status',
  'containers',
  'initContainers',
  'volumes',
  'env',
  'resources',
  'limits',
  'secret',
  'items',
  '$patch',
  '$retainKeys',
  '$setElementOrder/containers',
  '$deleteFromPrimitiveList/finalizers',
];
const name = fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...names) }, fc.string());
const scalar = fc.oneof(
  fc.constantFrom(null, true, false, 0, -1, 1.5, 1e300, '', 'v1', 'Pod', 'replace', 'delete', 'a'),
  fc.string(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const { value: json } = fc.letrec(tie => ({
  value: fc.oneof({ maxDepth: 6, depthSize: 'small' }, scalar, tie('list'), tie('object')),
  list: fc.array(tie('value'), { maxLength: 4 }),
  // Made as JSON.parse makes them: `__proto__` is a member of its own.
  object: fc
    .array(fc.tuple(name, tie('value')), { maxLength: 6 })
    .map(members => Object.fromEntries(members)),
}));
const object = fc
  .array(fc.tuple(name, json), { maxLength: 6 })
  .map(members => Object.fromEntries(members));

const anyDescriptor = fc.constantFrom(...resources);
const expectedOf = (descriptor: ResourceDescriptor) => ({
  apiVersion: apiVersionOf(descriptor),
  kind: descriptor.kind,
  schema: descriptor.schema,
});
const decode = (body: Buffer, descriptor: ResourceDescriptor, contentType: string) =>
  decodeBody(body, expectedOf(descriptor), {
    contentType,
    fieldValidation: 'Warn',
    warnings: [],
    client: { key: 'user a', group: 'user a', isExempt: false },
  });

/** What the server does with a decoded object before it is kept. */
function validate(descriptor: ResourceDescriptor, decoded: Record<string, unknown>): void {
  const now = '2026-01-02T03:04:05Z';
  const subject = decoded as unknown as Parameters<NonNullable<ResourceDescriptor['validate']>>[0];
  descriptor.applyDefaults?.(subject);
  descriptor.prepareForCreate?.(subject, { now, randomSuffix: () => 'abcde' });
  descriptor.validate?.(subject);
  descriptor.warnings?.(subject);
  descriptor.selectableFields?.(subject);
  for (const column of descriptor.columns) column.cell(subject, Date.parse(now));
}

/** Text with a few of its characters changed. */
const mutated = (text: string) =>
  fc
    .array(fc.tuple(fc.nat(text.length), fc.string({ maxLength: 2 })), {
      minLength: 1,
      maxLength: 4,
    })
    .map(edits => {
      let result = text;
      for (const [at, insert] of edits)
        result = result.slice(0, at) + insert + result.slice(at + 1);
      return result;
    });

describe('bodies', () => {
  test.each(['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'])(
    'any bytes as %s',
    type =>
      fc.assert(
        fc.asyncProperty(anyDescriptor, fc.uint8Array({ maxLength: 200 }), (descriptor, bytes) =>
          refusesOnlyBy(() => decode(Buffer.from(bytes), descriptor, type)),
        ),
      ),
  );

  test('any object as any kind is decoded, defaulted, validated and shown, or refused', () =>
    fc.assert(
      fc.asyncProperty(anyDescriptor, object, (descriptor, value) => {
        const body = Buffer.from(
          JSON.stringify({ ...value, ...expectedOf(descriptor), schema: undefined }),
        );
        return refusesOnlyBy(async () =>
          validate(descriptor, await decode(body, descriptor, 'application/json')),
        );
      }),
      { numRuns: 1000 },
    ));

  test('a good manifest with faults', () =>
    fc.assert(
      fc.asyncProperty(
        mutated(
          'apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: &l {a: b}}\nspec:\n  nodeSelector: *l\n  containers:\n  - {name: a, image: "busybox"}\n',
        ),
        text =>
          refusesOnlyBy(async () =>
            validate(podResource, await decode(Buffer.from(text), podResource, 'application/yaml')),
          ),
      ),
      // YAML takes long to read.
      { numRuns: 100 },
    ));

  const varint = (value: number): number[] =>
    value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
  const { message } = fc.letrec<{ message: number[]; field: number[] }>(tie => ({
    message: fc.array(tie('field'), { maxLength: 5 }).map(fields => fields.flat()),
    field: fc.oneof(
      { maxDepth: 6 },
      fc
        .tuple(fc.integer({ min: 1, max: 40 }), fc.nat())
        .map(([n, v]) => [...varint(n * 8), ...varint(v)]),
      fc
        .tuple(fc.integer({ min: 1, max: 40 }), fc.array(fc.nat(255), { maxLength: 8 }))
        .map(([n, bytes]) => [...varint(n * 8 + 2), ...varint(bytes.length), ...bytes]),
      fc
        .tuple(fc.integer({ min: 1, max: 40 }), tie('message'))
        .map(([n, bytes]) => [...varint(n * 8 + 2), ...varint(bytes.length), ...bytes]),
    ),
  }));

  test('any protobuf message as any kind', () =>
    fc.assert(
      fc.asyncProperty(anyDescriptor, message, (descriptor, raw) => {
        const { apiVersion, kind } = expectedOf(descriptor);
        const text = (n: number, of: string) => [n * 8 + 2, of.length, ...Buffer.from(of)];
        const type = [...text(1, apiVersion), ...text(2, kind)];
        const body = Buffer.from([
          ...Buffer.from('k8s\0'),
          10,
          type.length,
          ...type,
          18,
          ...varint(raw.length),
          ...raw,
        ]);
        return refusesOnlyBy(async () =>
          validate(
            descriptor,
            await decode(body, descriptor, 'application/vnd.kubernetes.protobuf'),
          ),
        );
      }),
      { numRuns: 1000 },
    ));

  test('any bytes as an envelope', () =>
    fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 50 }), bytes =>
        refusesOnlyBy(
          () => openEnvelope(Buffer.concat([Buffer.from('k8s\0'), Buffer.from(bytes)])),
          SyntaxError,
        ),
      ),
    ));

  test('any value as any schema', () =>
    fc.assert(
      fc.asyncProperty(anyDescriptor, json, ({ schema }, value) =>
        refusesOnlyBy(() => checkStructure(schema, value), StructureError),
      ),
      { numRuns: 1000 },
    ));
});

describe('patches', () => {
  const target = JSON.parse(
    '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","finalizers":["x/y"],"annotations":{"__proto__":"x"}},"spec":{"containers":[{"name":"a","image":"b","env":[{"name":"c"}]}],"volumes":[{"name":"v"}]}}',
  ) as Record<string, unknown>;
  const text = JSON.stringify(target);
  const pointer = fc
    .array(fc.oneof(name, fc.constantFrom('0', '1', '-', '~0', '~1', '')), { maxLength: 6 })
    .map(parts => parts.map(part => `/${part}`).join(''));
  const operation = fc.record(
    {
      op: fc.oneof(
        fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'),
        json as fc.Arbitrary<string>,
      ),
      path: fc.oneof({ weight: 9, arbitrary: pointer }, json),
      from: fc.oneof({ weight: 9, arbitrary: pointer }, json),
      value: json,
    },
    { requiredKeys: ['op'] },
  );

  test('any bytes as any type', () =>
    fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          mutated(text),
          json.map(value => JSON.stringify(value)),
        ),
        fc.constantFrom(jsonPatch, mergePatch, strategicMergePatch),
        (body, type) => refusesOnlyBy(() => parsePatch(Buffer.from(body), type, 'Warn')),
      ),
    ));

  test('any operations', () =>
    fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 8 }), operations =>
        refusesOnlyBy(() => applyJsonPatch(target, operations), PatchError),
      ),
      { numRuns: 1000 },
    ));

  test('any merge and strategic merge', () =>
    fc.assert(
      fc.asyncProperty(object, async patch => {
        await refusesOnlyBy(() => applyMergePatch(target, patch), PatchError);
        for (const { schema } of [podResource, secretResource])
          await refusesOnlyBy(() => applyStrategicMerge(schema, target, patch), PatchError);
      }),
      { numRuns: 1000 },
    ));

  test('leave what they were applied to as it was', () => {
    expect(JSON.stringify(target)).toBe(text);
  });
});

describe('texts', () => {
  const resolve = createOperationResolver({ find: findResource });
  const segment = fc.oneof(
    fc.constantFrom('api', 'apis', 'v1', 'namespaces', 'secrets', 'pods', 'log', 'exec', ...names),
    fc.constantFrom('%', '%2F', '%00', '%ff', '..', '.', '', '*'),
    fc.string(),
  );
  const url = fc
    .tuple(fc.array(segment, { maxLength: 8 }), fc.string(), fc.boolean())
    .map(([parts, query, has]) => `/${parts.join('/')}${has ? `?${query}` : ''}`);
  const method = fc.oneof(fc.constantFrom('GET', 'POST', 'LIST', ...names), fc.string());
  const media = fc
    .array(
      fc.constantFrom(
        'application/json',
        'application/yaml',
        '*/*',
        ';',
        ',',
        '=',
        'as',
        'Table',
        'g',
        'v',
        'meta.k8s.io',
        'v1',
        'q=0.1',
        ' ',
        '__proto__',
        'constructor',
      ),
      { maxLength: 12 },
    )
    .map(parts => parts.join(''));
  const selector = fc
    .array(
      fc.oneof(
        fc.constantFrom('a', '=', '==', '!=', '!', ',', ' in ', ' notin ', '(', ')', '>', '\\'),
        fc.constantFrom('metadata.name', '__proto__', 'a/b', 'constructor'),
        fc.string({ maxLength: 3 }),
      ),
      { maxLength: 10 },
    )
    .map(parts => parts.join(''));
  const token = fc.oneof(
    fc.string(),
    fc
      .record({
        v: fc.oneof(fc.constant('meta.k8s.io/v1'), json),
        rv: fc.oneof(fc.integer(), json),
        start: fc.oneof(fc.string(), json),
      })
      .map(fields => Buffer.from(JSON.stringify(fields)).toString('base64url')),
  );
  const number = fc.oneof(
    fc.string({ maxLength: 8 }),
    fc
      .array(fc.constantFrom('0', '1', '9', '.', '-', '+', 'e', 'E', 'Ki', 'm', 'k'), {
        maxLength: 12,
      })
      .map(parts => parts.join('')),
  );

  test.each<[string, fc.Arbitrary<string>, (text: string) => unknown, Refusal[]]>([
    ['Accept', fc.oneof(media, fc.string()), negotiate, []],
    ['the Content-Type of a patch', fc.oneof(media, fc.string()), patchTypeOf, []],
    ['a continue token', token, text => decodeContinue(text, '/registry/core/secrets/'), []],
    [
      'an image',
      fc.oneof(fc.string(), mutated('docker.io/library/busybox:1.36@sha256:00')),
      parseImageName,
      [SyntaxError],
    ],
    [
      'a quantity',
      number,
      text => (quantityError(text) === undefined ? parseQuantity(text) : undefined),
      [],
    ],
  ])('any text as %s', (_, texts, action, refusals) =>
    fc.assert(
      fc.asyncProperty(texts, text => refusesOnlyBy(() => action(text), ...refusals)),
      { numRuns: 1000 },
    ),
  );

  test('any text as a Content-Type', () =>
    fc.assert(
      fc.asyncProperty(fc.oneof(media, fc.string()), type =>
        refusesOnlyBy(() => decode(Buffer.from('{}'), secretResource, type)),
      ),
    ));

  test('any method and URL is resolved to what is declared, or to a refusal', () =>
    fc.assert(
      fc.property(method, url, (verb, path) => {
        const operation = resolve(verb, path);
        if (operation.type !== 'undeclared') return;
        expect(operation.refusal.code).toBeGreaterThanOrEqual(400);
        expect(operation.refusal.code).toBeLessThan(500);
      }),
      { numRuns: 2000 },
    ));

  test('any selector in a list', () =>
    fc.assert(
      fc.asyncProperty(selector, selector, (labels, fields) =>
        refusesOnlyBy(() => {
          const query = new URLSearchParams({ labelSelector: labels, fieldSelector: fields });
          const operation = resolve('GET', `/api/v1/secrets?${query.toString()}`);
          if (operation.type === 'resource') selectionOf(operation);
        }),
      ),
      { numRuns: 1000 },
    ));
});
