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
