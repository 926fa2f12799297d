import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLocalApi, type LocalApi } from '../support/local-api.ts';

let api: LocalApi;
beforeAll(async () => {
  api = await startLocalApi();
});
afterAll(() => api.close());

const path = '/api/v1/namespaces/tenant';
const createNamespace = () =>
  api.ask({ path: '/api/v1/namespaces', body: { metadata: { name: 'tenant' } } });

test('a pod that waits for its account does not come into a namespace of the same name', async () => {
  await createNamespace();
  const containers = [{ name: 'a', image: 'busybox' }];
  let isAnswered = false;
  const pod = api
    .ask({ path: `${path}/pods`, body: { metadata: { name: 'p' }, spec: { containers } } })
    .finally(() => (isAnswered = true));
  // The request has passed the check of the namespace once another request is answered after it.
  for (let i = 0; i < 20; i += 1) await api.ask({ path });
  await api.ask({ method: 'DELETE', path });
  const finalized = { metadata: { name: 'tenant' }, spec: { finalizers: [] } };
  await api.ask({ method: 'PUT', path: `${path}/finalize`, body: finalized });
  expect((await createNamespace()).code).toBe(201);
  expect(isAnswered).toBe(false);
  await api.ask({ path: `${path}/serviceaccounts`, body: { metadata: { name: 'default' } } });
  const { code, text } = await pod;
  expect(code, text).toBe(404);
  expect((await api.ask({ path: `${path}/pods/p` })).code).toBe(404);
});
