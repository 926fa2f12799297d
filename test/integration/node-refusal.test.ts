import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLocalApi, type LocalApi } from '../support/local-api.ts';

let api: LocalApi;
beforeAll(async () => {
  api = await startLocalApi();
  await api.ask({ path: '/api/v1/nodes', body: { metadata: { name: 'node-a' } } });
  await api.ask({ path: `${namespace}/serviceaccounts`, body: { metadata: { name: 'default' } } });
  const containers = [{ name: 'a', image: 'busybox' }];
  const body = { metadata: { name: 'p' }, spec: { nodeName: 'node-a', containers } };
  await api.ask({ path: `${namespace}/pods`, body });
});
afterAll(() => api.close());

const namespace = '/api/v1/namespaces/default';
const chunk = Buffer.alloc(64 * 1024, 'x');

/** What the API answers to a request for a log when this is what the node does. */
async function askForLog(onRequest: RequestListener) {
  const { cert, key } = api.pki.nodeServing;
  const node = createServer({ cert, key }, onRequest);
  await new Promise<void>(resolve => void node.listen(0, '127.0.0.1', resolve));
  const { port } = node.address() as AddressInfo;
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
  const answer = await api.ask({ path: `${namespace}/pods/p/log` });
  node.close();
  return answer;
}

test('a node that refuses a log without ever coming to an end is cut off', async () => {
  let isCutOff = false;
  const { code, text } = await askForLog((_request, response) => {
    response.writeHead(500);
    response.once('close', () => (isCutOff = true));
    const send = (): void => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on('drain', send);
    send();
  });
  expect(code).toBe(500);
  expect(text).toContain('xxxx');
  expect(text.length).toBeLessThan(100_000);
  await expect.poll(() => isCutOff).toBe(true);
});

test('a node that answers a request for a log by an upgrade is an error at once', async () => {
  const { code, text } = await askForLog(({ socket }) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
  });
  expect([code, text]).toEqual([500, expect.stringContaining('the node did not answer')]);
});
