import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLocalApi, type LocalApi } from '../support/local-api.ts';

let api: LocalApi;
beforeAll(async () => {
  api = await startLocalApi();
});
afterAll(() => api.close());

const namespace = '/api/v1/namespaces/default';
const chunk = Buffer.alloc(64 * 1024, 'x');

test('a node that refuses a log without ever coming to an end is cut off', async () => {
  const { cert, key } = api.pki.nodeServing;
  let isCutOff = false;
  const node = createServer({ cert, key }, (_request, response) => {
    response.writeHead(500);
    response.once('close', () => (isCutOff = true));
    const send = (): void => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on('drain', send);
    send();
  });
  await new Promise<void>(resolve => void node.listen(0, '127.0.0.1', resolve));
  const { port } = node.address() as AddressInfo;
  await api.ask({ path: '/api/v1/nodes', body: { metadata: { name: 'node-a' } } });
  await api.ask({
    method: 'PATCH',
    path: '/api/v1/nodes/node-a/status',
    contentType: 'application/merge-patch+json',
    body: {
      status: {
        addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
        daemonEndpoints: { kubeletEndpoint: { Port: port } },
      },
    },
  });
  await api.ask({ path: `${namespace}/serviceaccounts`, body: { metadata: { name: 'default' } } });
  const containers = [{ name: 'a', image: 'busybox' }];
  await api.ask({
    path: `${namespace}/pods`,
    body: { metadata: { name: 'p' }, spec: { nodeName: 'node-a', containers } },
  });
  const { code, text } = await api.ask({ path: `${namespace}/pods/p/log` });
  expect(code).toBe(500);
  expect(text).toContain('xxxx');
  expect(text.length).toBeLessThan(100_000);
  await expect.poll(() => isCutOff).toBe(true);
  node.close();
});
