import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startLocalApi, type LocalApi } from '../support/local-api.ts';

/* Forms of requests that some clients send and kubectl does not. */

let api: LocalApi;
beforeAll(async () => {
  api = await startLocalApi();
});
afterAll(() => api.close());

const secrets = '/api/v1/namespaces/default/secrets';
const secret = (name: string, resourceVersion: string, value = 'YQ=='): object => ({
  metadata: { name, resourceVersion },
  data: { a: value },
});

describe('resourceVersion 0 means any version', () => {
  test('in what is created', async () => {
    expect((await api.ask({ path: secrets, body: secret('any', '0') })).code).toBe(201);
    const refused = await api.ask({ path: secrets, body: secret('one', '1') });
    expect(refused).toMatchObject({
      code: 400,
      body: { message: 'resourceVersion should not be set on objects to be created' },
    });
  });

  test('in what is replaced', async () => {
    const put = (version: string) =>
      api.ask({
        method: 'PUT',
        path: `${secrets}/any`,
        body: secret('any', version, 'Yg=='),
      });
    expect(await put('0')).toMatchObject({ code: 200, body: { data: { a: 'Yg==' } } });
    expect((await put('1')).code).toBe(409);
  });

  test('in what is patched', async () => {
    const patch = (version: string) =>
      api.ask({
        method: 'PATCH',
        path: `${secrets}/any`,
        contentType: 'application/merge-patch+json',
        body: { metadata: { resourceVersion: version, labels: { patched: 'yes' } } },
      });
    expect(await patch('0')).toMatchObject({
      code: 200,
      body: { metadata: { labels: { patched: 'yes' } } },
    });
    expect((await patch('1')).code).toBe(409);
  });
});

test('fields of events are selected by the names of the version that is asked', async () => {
  const event = {
    metadata: { name: 'e' },
    involvedObject: { kind: 'Pod', name: 'web', namespace: 'default' },
    reason: 'Pulled',
    reportingComponent: 'kubelet',
  };
  await api.ask({ path: '/api/v1/namespaces/default/events', body: event });
  const found = async (prefix: string, selector: string): Promise<unknown> => {
    const path = `${prefix}/namespaces/default/events?fieldSelector=${selector}`;
    const { code, body } = await api.ask({ path });
    return code === 200 ? (body['items'] as unknown[]).length : body.message;
  };
  const newer = '/apis/events.k8s.io/v1';
  expect(await found(newer, 'regarding.name=web,reason=Pulled')).toBe(1);
  expect(await found(newer, 'reportingController=kubelet')).toBe(1);
  expect(await found(newer, 'regarding.kind=Node')).toBe(0);
  expect(await found(newer, 'involvedObject.name=web')).toBe(
    'field label not supported: involvedObject.name',
  );
  expect(await found('/api/v1', 'involvedObject.name=web,reportingComponent=kubelet')).toBe(1);
  expect(await found('/api/v1', 'regarding.name=web')).toBe(
    'field label not supported: regarding.name',
  );
});

test('long URLs are read, such as those of exec with long arguments, and longer ones refused in words', async () => {
  const ask = (length: number) =>
    api.ask({ path: `${secrets}?labelSelector=${'x'.repeat(length)}` });
  expect((await ask(200_000)).code).toBe(400);
  expect(await ask(300_000)).toMatchObject({
    code: 431,
    body: {
      message: 'Request header fields too large: the URL and headers may have 262144 bytes',
    },
  });
});

test('a version that is still to come is refused', async () => {
  const get = (version: string) => api.ask({ path: `${secrets}/any?resourceVersion=${version}` });
  expect((await get('1')).code).toBe(200);
  const future = await get('999999999');
  expect(future.code).toBe(504);
  expect(future.body.message).toContain('Too large resource version');
});

test('server-side apply is refused by its media type, whatever its options', async () => {
  const apply = await api.ask({
    method: 'PATCH',
    path: `${secrets}/any?fieldManager=me&force=true`,
    contentType: 'application/apply-patch+yaml',
    body: 'apiVersion: v1',
  });
  expect(apply.code).toBe(415);
});

describe('DeleteOptions', () => {
  /** Protobuf: the envelope of runtime.Unknown, with an empty message. */
  const inProtobuf = (apiVersion: string, kind: string): Buffer => {
    const field = (number: number, text: string): Buffer =>
      Buffer.concat([Buffer.from([(number << 3) | 2, text.length]), Buffer.from(text)]);
    const type = Buffer.concat([field(1, apiVersion), field(2, kind)]).toString('latin1');
    return Buffer.concat([Buffer.from('k8s\0'), field(1, type), Buffer.from([0x12, 0])]);
  };
  const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases';

  test.each(['coordination.k8s.io/v1', 'v1', 'meta.k8s.io/v1'])(
    'may be those of %s, in protobuf too',
    async apiVersion => {
      await api.ask({ path: leases, body: { metadata: { name: 'l' } } });
      const deleted = await api.ask({
        method: 'DELETE',
        path: `${leases}/l`,
        contentType: 'application/vnd.kubernetes.protobuf',
        body: inProtobuf(apiVersion, 'DeleteOptions'),
      });
      expect(deleted.code, deleted.text).toBe(200);
    },
  );
});

test('what cannot be created yet is not discovered, and what is absent can be deleted nowhere', async () => {
  expect((await api.ask({ path: '/apis/apiextensions.k8s.io' })).code).toBe(404);
  for (const path of [
    '/api/v1/namespaces/default/services',
    '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  ]) {
    expect((await api.ask({ path })).body).toMatchObject({ items: [] });
    expect((await api.ask({ method: 'DELETE', path: `${path}/none` })).code).toBe(404);
  }
});

test('a review cannot be answered as a Table', async () => {
  const answer = await api.ask({
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: { spec: { nonResourceAttributes: { path: '/', verb: 'get' } } },
    headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
  });
  expect(answer.code).toBe(406);
});

describe('subresources that are created', () => {
  const pod = {
    metadata: { name: 'web' },
    spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'i' }] },
  };
  beforeAll(async () => {
    await api.ask({
      path: '/api/v1/namespaces/default/serviceaccounts',
      body: { metadata: { name: 'default' } },
    });
    const { code, text } = await api.ask({ path: '/api/v1/namespaces/default/pods', body: pod });
    expect(code, text).toBe(201);
  });
  const post = (subresource: string, body: object, query = '') =>
    api.ask({ path: `/api/v1/namespaces/default/pods/web/${subresource}${query}`, body });

  test.each([
    ['eviction', {}],
    ['eviction', { apiVersion: 'policy/v1beta1', kind: 'Eviction' }],
    ['binding', { target: { name: 'node-a' } }],
  ])('%s is decoded as strictly as was asked', async (subresource, body) => {
    const unknown = { ...body, nonsense: 1 };
    const strict = await post(subresource, unknown, '?fieldValidation=Strict&dryRun=All');
    expect(strict).toMatchObject({ code: 400 });
    expect(strict.body.message).toContain('unknown field "nonsense"');
    expect((await post(subresource, unknown, '?dryRun=All')).code).toBe(201);
  });

  test.each([
    ['eviction', 'Eviction', {}],
    ['binding', 'Binding', { target: { name: 'node-a' } }],
  ])('%s is of the object that the URL names', async (subresource, kind, body) => {
    expect(await post(subresource, { ...body, metadata: { name: 'other' } })).toMatchObject({
      code: 400,
      body: { message: `name in URL does not match name in ${kind} object` },
    });
    expect(await post(subresource, { ...body, metadata: { namespace: 'other' } })).toMatchObject({
      code: 400,
      body: { message: `namespace in URL does not match namespace in ${kind} object` },
    });
  });
});

describe('a watch by the path that came before ?watch=true', () => {
  const namesIn = (text: string): unknown[] =>
    text
      .trim()
      .split('\n')
      .map(
        line =>
          (JSON.parse(line) as { object: { metadata: { name: string } } }).object.metadata.name,
      );

  test('tells what a watch by the query tells', async () => {
    for (const name of ['first', 'second'])
      await api.ask({ path: secrets, body: { metadata: { name } } });
    const watched = async (path: string): Promise<unknown[]> =>
      namesIn((await api.ask({ path: `${path}?timeoutSeconds=1` })).text);
    const within = '/api/v1/watch/namespaces/default/secrets';
    expect(await watched(within)).toEqual(['any', 'first', 'second']);
    expect(await watched(`${within}/second`)).toEqual(['second']);
    expect(await watched('/api/v1/watch/namespaces/kube-public')).toEqual(['kube-public']);
  });
});
