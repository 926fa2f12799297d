import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startLocalApi, type LocalApi } from '../support/local-api.ts';

let api: LocalApi;
beforeAll(async () => {
  api = await startLocalApi();
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
  await api.ask({ path: `${namespace}/serviceaccounts`, body: account });
  await api.ask({
    path: `${namespace}/pods`,
    body: pod('running', { containers: [{ name: 'a', image: 'busybox' }] }),
  });
});
afterAll(() => api.close());

const namespace = '/api/v1/namespaces/default';
const pod = (name: string, spec: unknown) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec,
});
const long = 'a'.repeat(5000);

/** A field of a protobuf message: a text, a message, or an integer. */
function field(number: number, value: string | Buffer | bigint): Buffer {
  if (typeof value === 'bigint') return Buffer.concat([varint(number * 8), varint(value)]);
  const bytes = Buffer.from(value as string);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}

const protobuf = (kind: string, ...fields: Buffer[]) => ({
  contentType: 'application/vnd.kubernetes.protobuf',
  body: Buffer.concat([
    Buffer.from('k8s\0'),
    field(1, Buffer.concat([field(1, 'v1'), field(2, kind)])),
    field(2, Buffer.concat(fields)),
  ]),
});

describe('a pod without containers', () => {
  const noContainers = 'spec.containers: Required value';
  test.each<[string, unknown]>([
    ['left out', { restartPolicy: 'Never' }],
    ['null', { containers: null }],
    ['empty', { containers: [] }],
    ['with init containers only', { initContainers: [{ name: 'a', image: 'busybox' }] }],
    ['without a spec', undefined],
    ['with a null for a spec', null],
  ])('%s → 422', async (_, spec) => {
    const { code, body } = await api.ask({ path: `${namespace}/pods`, body: pod('none', spec) });
    expect([code, body.message]).toEqual([422, `Pod "none" is invalid: ${noContainers}`]);
  });

  test.each([
    ['without containers', [field(2, field(3, 'Never'))]],
    ['without a spec', []],
  ])('in protobuf, %s → 422', async (_, fields) => {
    const sent = protobuf('Pod', field(1, field(1, 'none')), ...fields);
    const { code, body } = await api.ask({ path: `${namespace}/pods`, ...sent });
    expect([code, body.message]).toEqual([422, `Pod "none" is invalid: ${noContainers}`]);
  });

  test.each([
    ['application/merge-patch+json', '{"spec":null}'],
    ['application/merge-patch+json', '{"spec":{"containers":null}}'],
    ['application/strategic-merge-patch+json', '{"spec":null}'],
    ['application/strategic-merge-patch+json', '{"spec":{"$patch":"delete"}}'],
    ['application/json-patch+json', '[{"op":"remove","path":"/spec"}]'],
    ['application/json-patch+json', '[{"op":"remove","path":"/spec/containers"}]'],
  ])('made by the %s %s → 422', async (contentType, body) => {
    const path = `${namespace}/pods/running`;
    const answer = await api.ask({ method: 'PATCH', path, contentType, body });
    expect(answer.code, answer.text).toBe(422);
    expect(answer.body.message).toContain(noContainers);
  });

  test('made by PUT → 422', async () => {
    const path = `${namespace}/pods/running`;
    const answer = await api.ask({ method: 'PUT', path, body: pod('running', null) });
    expect(answer.code, answer.text).toBe(422);
  });
});

test('a volume that names no source is an emptyDir', async () => {
  const containers = [{ name: 'a', image: 'busybox' }];
  const body = pod('volume-default', { containers, volumes: [{ name: 'scratch' }] });
  const answer = await api.ask({ path: `${namespace}/pods`, body });
  expect(answer.code, answer.text).toBe(201);
  expect(answer.body).toMatchObject({
    spec: { volumes: expect.arrayContaining([{ name: 'scratch', emptyDir: {} }]) as unknown },
  });
});

test('an Event that is about nothing is listed as a table like any other', async () => {
  const body = { apiVersion: 'v1', kind: 'Event', metadata: { name: 'nothing' } };
  expect((await api.ask({ path: `${namespace}/events`, body })).code).toBe(201);
  for (const group of ['/api/v1', '/apis/events.k8s.io/v1']) {
    const path = `${group}/namespaces/default/events`;
    const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
    expect((await api.ask({ path, headers })).code).toBe(200);
    expect((await api.ask({ path: `${path}?fieldSelector=reason%3Dx` })).code).toBe(200);
  }
});

describe('a protobuf body', () => {
  test('whose time no calendar has → 400', async () => {
    const metadata = Buffer.concat([field(1, 'late'), field(8, field(1, 10n ** 18n))]);
    const sent = protobuf('Secret', field(1, metadata));
    const { code, body } = await api.ask({ path: `${namespace}/secrets`, ...sent });
    expect([code, body.message]).toEqual([
      400,
      'Secret in version "v1" cannot be handled as a Secret: Time.MarshalJSON: year outside of range [0,9999]',
    ]);
  });

  test('with JSON inside that is none → 400, which quotes nothing of it', async () => {
    const managed = field(17, field(7, field(1, '{"a": hunter2')));
    const sent = protobuf('Secret', field(1, managed));
    const { code, body } = await api.ask({ path: `${namespace}/secrets`, ...sent });
    expect([code, body.message]).toEqual([
      400,
      'Secret in version "v1" cannot be handled as a Secret: invalid character \'h\' looking for beginning of value',
    ]);
  });
});

describe('a name of thousands of characters', () => {
  const roles = '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles';
  test.each([
    `${namespace}/secrets/${long}`,
    `${namespace}/pods/${long}`,
    `${namespace}/pods/${long}/log`,
    `/api/v1/nodes/${long}`,
    `${roles}/${long}`,
    `/api/v1/namespaces/${long}/secrets`,
  ])('%# in a path is that of nothing', async path => {
    const contentType = 'application/merge-patch+json';
    const codes = await Promise.all([
      api.ask({ path }),
      api.ask({ method: 'DELETE', path }),
      api.ask({ method: 'PATCH', path, contentType, body: '{}' }),
    ]);
    // A namespace that is not there lists as an empty one, and has nothing to delete.
    const expected = path.endsWith('/secrets') ? [200, 200, 405] : [404, 404, 404];
    const unserved = path.endsWith('/log') ? [404, 405, 405] : expected;
    expect(codes.map(({ code }) => code)).toEqual(unserved);
  });

  test.each([
    [`${namespace}/secrets`, 'Secret', 'v1', 'must be no more than 253 characters'],
    [roles, 'Role', 'rbac.authorization.k8s.io/v1', 'must be no more than 1024 bytes'],
  ])('cannot be given to what is made in %s', async (path, kind, apiVersion, message) => {
    const body = { apiVersion, kind, metadata: { name: long } };
    const answer = await api.ask({ path, body });
    expect(answer.code).toBe(422);
    expect(answer.body.message).toContain(message);
  });

  test('the longest that a role may have works', async () => {
    const name = 'r'.repeat(1024);
    const body = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name } };
    expect((await api.ask({ path: roles, body })).code).toBe(201);
    expect((await api.ask({ path: `${roles}/${name}` })).code).toBe(200);
  });
});

describe('a query', () => {
  const token = (fields: object) => Buffer.from(JSON.stringify(fields)).toString('base64url');
  const version = 'meta.k8s.io/v1';
  const nines = '9'.repeat(5000);
  test.each([
    [`continue=${long}`, 400],
    [`continue=${token({ v: version, rv: 1, start: long })}`, 400],
    [`continue=${token({ v: version, rv: 1e30, start: 'a' })}`, 400],
    [`continue=${token({ v: version, rv: -7, start: 'a' })}`, 200],
    [`continue=${token({ v: version, rv: 1, start: 'a\u0000b\ud800' })}`, 200],
    [`resourceVersion=${nines}`, 400],
    [`watch=1&resourceVersion=${nines}`, 400],
    ['resourceVersion=18446744073709551616', 400],
    ['resourceVersion=18446744073709551615', 504],
    [`limit=${nines}`, 400],
    [`watch=1&timeoutSeconds=${nines}`, 400],
    [`fieldSelector=metadata.name%3D${long}`, 200],
    [`fieldSelector=metadata.namespace%3D${long}`, 200],
    [`watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3D${long}`, 200],
    [`watch=1&timeoutSeconds=1&fieldSelector=metadata.namespace%3D${long}`, 200],
    ['fieldSelector=__proto__%3Da', 400],
    ['fieldSelector=constructor%3Da', 400],
    [`labelSelector=${long}`, 400],
    ['labelSelector=constructor', 200],
  ])('%.90s', async (query, code) => {
    const answer = await api.ask({ path: `/api/v1/secrets?${query}` });
    expect(answer.code, answer.text).toBe(code);
  });
});

test.each([
  ['op', 5],
  ['path', {}],
  ['from', 7],
])('a JSON patch whose %s is no text → 400', async (name, value) => {
  const answer = await api.ask({
    method: 'PATCH',
    path: `${namespace}/pods/running`,
    contentType: 'application/json-patch+json',
    body: [{ op: 'move', path: '/metadata/labels', from: '/metadata/labels', [name]: value }],
  });
  expect(answer.code, answer.text).toBe(400);
  expect(answer.body.message).toContain(`Go struct field jsonPatchOp.${name} of type string`);
});

describe('names that every object in JavaScript has', () => {
  const traps = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];

  test.each(traps)('a node’s GET of the resource %s is refused', async name => {
    for (const path of [`/api/v1/${name}`, `${namespace}/${name}/x`, `/apis/${name}/v1/${name}`]) {
      const { code } = await api.ask({ path, as: api.pki.node });
      expect([403, 404]).toContain(code);
    }
  });

  test('are kept as keys of data, labels and annotations, whatever writes them', async () => {
    const path = `${namespace}/secrets`;
    const named = (value: string) =>
      `{${traps.map(name => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
    // `__proto__` is no key of a label.
    const labels = '{"constructor":"x","toString":"x"}';
    const metadata = `{"name":"traps","labels":${labels},"annotations":{"constructor":"x"}}`;
    const body = `{"apiVersion":"v1","kind":"Secret","metadata":${metadata},"data":${named('eA==')}}`;
    expect((await api.ask({ path, body })).code).toBe(201);
    const contentTypes = [
      ['application/merge-patch+json', `{"data":${named('eQ==')}}`],
      ['application/strategic-merge-patch+json', `{"data":${named('eg==')}}`],
      [
        'application/json-patch+json',
        `[${traps.map(name => `{"op":"replace","path":"/data/${name}","value":"eA=="}`).join(',')}]`,
      ],
    ] as const;
    for (const [contentType, patch] of contentTypes) {
      const method = 'PATCH';
      const answer = await api.ask({ method, path: `${path}/traps`, contentType, body: patch });
      expect(answer.code, answer.text).toBe(200);
    }
    const { text } = await api.ask({ path: `${path}/traps` });
    expect(text).toContain(`"data":${named('eA==')}`);
    const selected = await api.ask({ path: `${path}?labelSelector=constructor%3Dx,toString` });
    expect(selected.body['items']).toHaveLength(1);
    const none = await api.ask({ path: `${path}?labelSelector=valueOf` });
    expect(none.body['items']).toHaveLength(0);
  });

  test.each([
    ['application/merge-patch+json', '{"__proto__":{"polluted":"yes"}}'],
    ['application/strategic-merge-patch+json', '{"__proto__":{"polluted":"yes"}}'],
    ['application/strategic-merge-patch+json', '{"metadata":{"__proto__":{"polluted":"yes"}}}'],
    ['application/merge-patch+json', '{"constructor":{"prototype":{"polluted":"yes"}}}'],
    ['application/json-patch+json', '[{"op":"add","path":"/__proto__/polluted","value":"yes"}]'],
    [
      'application/json-patch+json',
      '[{"op":"add","path":"/constructor/prototype/polluted","value":"yes"}]',
    ],
  ])('%s %s changes no prototype', async (contentType, body) => {
    const path = `${namespace}/pods/running`;
    const { code } = await api.ask({ method: 'PATCH', path, contentType, body });
    expect(code).toBeLessThan(500);
    expect('polluted' in {}).toBe(false);
  });
});

test('nothing of the above was an unexpected error', () => {
  expect(api.log.filter(({ level }) => level === 'error')).toEqual([]);
});
