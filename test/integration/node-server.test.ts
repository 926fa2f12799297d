import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Pod } from '../../src/api/core/v1/pod.ts';
import { createClient } from '../../src/client/http-client.ts';
import type { KubeClient } from '../../src/client/client.ts';
import { createOperationAuthorizer } from '../../src/node/server/authorize-request.ts';
import { startNodeServer, type NodeServer } from '../../src/node/server/start-node-server.ts';
import type { Runtime } from '../../src/node/runtime/runtime.ts';
import { mintCertificate } from '../../src/server/pki/mint.ts';
import type { KeyPair } from '../../src/server/pki/pki.ts';
import { startLocalApi, type LocalApi } from '../support/local-api.ts';

/* A node's server: authentication, then authorization, and only then what there is. */
let api: LocalApi;
let client: KubeClient;
let node: NodeServer;
let eve: KeyPair;

beforeAll(async () => {
  api = await startLocalApi();
  const { pki } = api;
  const key = await readFile(path.join(api.dataDir, 'pki', 'ca.key'), 'utf8');
  eve = await mintCertificate(
    { cert: pki.ca, key },
    { commonName: 'eve', names: [], usage: 'client' },
  );
  client = createClient({
    server: `https://127.0.0.1:${api.port}`,
    certificateAuthority: pki.ca,
    clientCertificate: pki.node.cert,
    clientKey: pki.node.key,
  });
  const nothing = (): void => undefined;
  const web = {
    metadata: { name: 'web', namespace: 'ns', uid: 'u1' },
    spec: { containers: [{ name: 'c' }] },
  } as Pod;
  node = await startNodeServer({
    runtime: {
      listContainers: () => Promise.resolve([]),
      listPodSandboxes: () => Promise.resolve([]),
    } as unknown as Runtime,
    serving: { ...pki.nodeServing, clientCa: pki.ca },
    authorize: createOperationAuthorizer(client, 'node-a'),
    podOf: (namespace, name) => (namespace === 'ns' && name === 'web' ? web : undefined),
    host: '127.0.0.1',
    port: 0,
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
  });
});
afterAll(async () => {
  await node.close();
  await client.close();
  await api.close();
});

const ask = (as: KeyPair, line: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const [method = '', target = '', upgrade] = line.split(' ');
    const headers = upgrade === undefined ? {} : { connection: 'Upgrade', upgrade };
    const to = { host: '127.0.0.1', port: node.port, ca: api.pki.ca, agent: false } as const;
    request({ ...to, method, path: target, cert: as.cert, key: as.key, headers }, response => {
      response
        .setEncoding('utf8')
        .toArray()
        .then(chunks => resolve(`${response.statusCode} ${chunks.join('').trim()}`), reject);
    })
      .on('error', reject)
      .end();
  });

test.each([
  ['GET /containerLogs/ns/web/c', 'get', '[proxy]'],
  ['GET /containerLogs/ns/nothing/c', 'get', '[proxy]'],
  ['POST /containerLogs/ns/web/c', 'create', '[proxy]'],
  ['GET /nothing', 'get', '[proxy]'],
  ['GET /exec/ns/nothing/c SPDY/3.1', 'get', '[proxy]'],
  ['GET /%6detrics', 'get', '[metrics]'],
  ['GET /healthz', 'get', '[healthz proxy]'],
])('who has no right learns nothing from %s', async (line, verb, subresources) => {
  expect(await ask(eve, line)).toBe(
    `403 Forbidden (user=eve, verb=${verb}, resource=nodes, subresource(s)=${subresources})`,
  );
});

test.each([
  ['GET /healthz', '200 ok'],
  ['GET /nothing', '404 404 page not found'],
  ['GET /containerLogs/ns/nothing/c', '404 pod "nothing" does not exist'],
  ['GET /containerLogs/ns/web/nothing', '404 container "nothing" not found in pod "web"'],
  [
    'GET /containerLogs/ns/web/c',
    '400 container "c" in pod "web" is waiting to start: ContainerCreating',
  ],
  ['POST /containerLogs/ns/web/c', '405 405: Method Not Allowed'],
  ['DELETE /exec/ns/web/c', '405 405: Method Not Allowed'],
  ['GET /exec/ns/nothing/c', '404 pod does not exist'],
  ['GET /exec/ns/web/c', '400 Upgrade request required'],
  ['GET /exec/ns/nothing/c SPDY/3.1', '404 pod does not exist'],
  ['GET /exec/ns/web/other/c SPDY/3.1', '404 pod not found'],
  ['GET /exec/ns/web/u1/c SPDY/3.1', '500 container not found ("c")'],
  ['GET /portForward/ns/web SPDY/3.1', '404 pod "web" is not running'],
  ['GET /nothing SPDY/3.1', '404 404 page not found'],
])('an administrator is told of %s: %s', async (line, answer) => {
  expect(await ask(api.pki.admin, line)).toBe(answer);
});
