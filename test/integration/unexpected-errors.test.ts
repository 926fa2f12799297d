import { connect } from 'node:http2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLocalApi, type LocalApi } from '../support/local-api.ts';

let api: LocalApi;
beforeAll(async () => {
  api = await startLocalApi();
});
afterAll(() => api.close());

const secrets = '/api/v1/namespaces/default/secrets';
const asTable = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };

const unexpected = async (): Promise<number> => {
  const { text } = await api.ask({ path: '/metrics' });
  return Number(/^keylet_unexpected_errors_total (\d+)$/m.exec(text)?.[1]);
};

test('one request fails: logged once with its operation, counted, and no value is repeated', async () => {
  const before = await unexpected();
  // No client can write this: it stands for any fault of Keylet's own.
  const broken =
    '{"kind":"Secret","apiVersion":"v1","metadata":{"name":"broken"},"data":{"k":"hunter2';
  await api.store.put('/registry/core/secrets/default/broken', Buffer.from(broken));
  const answer = await api.ask({ path: `${secrets}/broken`, headers: asTable });
  expect(answer.code).toBe(500);
  expect(answer.body.message).toBe(
    'Internal error occurred: an error on the server prevented the request from succeeding',
  );
  const errors = api.log.filter(({ message }) => message === 'Unexpected error');
  expect(errors).toHaveLength(1);
  expect(errors[0]?.fields['operation']).toBe('get secrets');
  expect(String(errors[0]?.fields['error'])).toMatch(/^Error: invalid JSON\n {4}at /);
  expect(JSON.stringify([api.log, answer.text])).not.toContain('hunter2');
  expect((await unexpected()) - before).toBe(1);
  expect((await api.ask({ path: '/api/v1/namespaces' })).code).toBe(200);
});

test('requests whose client goes at any moment are no unexpected errors', async () => {
  const before = await unexpected();
  const { cert, key } = api.pki.admin;
  for (let round = 0; round < 20; round += 1) {
    const session = connect(`https://127.0.0.1:${api.port}`, { ca: api.pki.ca, cert, key });
    session.on('error', () => undefined);
    const streams = [`${secrets}?watch=1`, secrets, '/api/v1/namespaces'].map(path =>
      session.request({ ':method': 'GET', ':path': path }),
    );
    const upload = session.request({ ':method': 'POST', ':path': secrets });
    upload.write('{"metadata":');
    for (const stream of [...streams, upload]) stream.on('error', () => undefined);
    await new Promise(resolve =>
      streams[round % 3]?.once(round % 2 === 0 ? 'response' : 'ready', resolve),
    );
    session.destroy();
  }
  expect((await api.ask({ path: '/api/v1/namespaces' })).code).toBe(200);
  expect((await unexpected()) - before).toBe(0);
});
