import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nodeResource } from '../../src/api/core/v1/node.ts';
import { podResource, type Pod } from '../../src/api/core/v1/pod.ts';
import { secretResource, type Secret } from '../../src/api/core/v1/secret.ts';
import { serviceAccountResource } from '../../src/api/core/v1/service-account.ts';
import type { KubeClient } from '../../src/client/client.ts';
import { createClient } from '../../src/client/http-client.ts';
import type { Logger } from '../../src/machinery/log.ts';
import type { Runtime } from '../../src/node/runtime/runtime.ts';
import { createOperationAuthorizer } from '../../src/node/server/authorize-request.ts';
import { startNodeServer, type NodeServer } from '../../src/node/server/start-node-server.ts';
import { openPki, type KeyPair, type Pki } from '../../src/server/pki/pki.ts';
import { startServer, type RunningServer } from '../../src/server/start-server.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { eventually } from '../support/eventually.ts';

const nothing = (): void => undefined;
const log: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const yearMs = 365 * 24 * 3600_000;
/** How long the first certificates last by the real clock, which is the one that TLS looks at. */
const firstEndsInMs = 20_000;

let folder: string;
let pkiClockMs: (() => number) | undefined;
let pki: Pki;
let store: Store;
let server: RunningServer;
let admin: KubeClient;
let nodeServer: NodeServer;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'keylet-renewal-'));
  const almostAYearAgo = Date.now() - yearMs + firstEndsInMs;
  pkiClockMs = () => almostAYearAgo;
  pki = await openPki({
    dir: path.join(folder, 'pki'),
    names: ['127.0.0.1'],
    nodeName: 'node-1',
    nodeNames: ['127.0.0.1'],
    now: () => (pkiClockMs ?? Date.now)(),
  });
  store = await openStore({ path: path.join(folder, 'store'), keysDir: path.join(folder, 'keys') });
  server = await startServer({ store, pki, host: '127.0.0.1', port: 0, version: '0.0.0', log });
  admin = createClient({
    server: `https://127.0.0.1:${server.port}`,
    certificates: () => ({
      certificateAuthority: pki.ca,
      clientCertificate: pki.admin.cert,
      clientKey: pki.admin.key,
    }),
  });
  nodeServer = await startNodeServer({
    // It has no container: that is what the answer says.
    runtime: { listContainers: () => Promise.resolve([]) } as unknown as Runtime,
    serving: { ...pki.nodeServing, clientCa: pki.ca },
    authorize: createOperationAuthorizer(admin, 'node-1'),
    podOf: () => ({ metadata: {}, spec: { containers: [{ name: 'c' }] } }) as Pod,
    host: '127.0.0.1',
    port: 0,
    log,
  });
  pki.onRenewed(() => nodeServer.setCertificates({ ...pki.nodeServing, clientCa: pki.ca }));
});
afterEach(async () => {
  await nodeServer.close();
  await admin.close();
  await server.close();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

/** What a new connection is shown. */
async function servingCertificate(port: number, client: KeyPair): Promise<X509Certificate> {
  const socket = connect({ host: '127.0.0.1', port, ca: pki.ca, ...client });
  try {
    await once(socket, 'secureConnect');
    const found = socket.getPeerX509Certificate();
    if (found === undefined) throw new Error('no certificate was shown');
    return found;
  } finally {
    socket.destroy();
  }
}

const serialOf = ({ cert }: KeyPair): string => new X509Certificate(cert).serialNumber;

/** One connection that stays open, with the certificate that it was opened with. */
function connectionOf(client: KeyPair) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: pki.ca, ...client });
  let localPort: number | undefined;
  return {
    code: (): Promise<number> =>
      new Promise((resolve, reject) => {
        request(
          { agent, host: '127.0.0.1', port: server.port, path: '/api/v1/namespaces' },
          answer => {
            localPort ??= answer.socket.localPort;
            expect(answer.socket.localPort, 'the same connection').toBe(localPort);
            answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
          },
        )
          .once('error', reject)
          .end();
      }),
    close: () => agent.destroy(),
  };
}

const secret = (name: string): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'default' },
});

async function createPodOnNode(): Promise<void> {
  const nodes = admin.resource(nodeResource);
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' }, spec: {} } as const;
  const created = await nodes.create(node);
  await nodes.updateStatus({
    ...created,
    status: {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: nodeServer.port } },
    },
  });
  await admin.resource(serviceAccountResource).create({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace: 'default' },
  });
  await admin.resource(podResource).create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'default' },
    spec: { nodeName: 'node-1', containers: [{ name: 'c', image: 'busybox' }] },
  });
}

const podLog = async (): Promise<string> =>
  (await admin.raw('GET', '/api/v1/namespaces/default/pods/web/log')).body.toString();

test('certificates are renewed while connections are open, and what is open outlives them', async () => {
  const first = { admin: pki.admin, serving: pki.serving, nodeServing: pki.nodeServing };
  const secrets = admin.resource(secretResource);
  const seen: string[] = [];
  const stop = new AbortController();
  const watching = (async () => {
    const watch = secrets.watch({ namespace: 'default', signal: stop.signal });
    for await (const { type, object } of watch)
      if (type === 'ADDED') seen.push(object.metadata.name ?? '');
  })();
  const kept = connectionOf(first.admin);
  await createPodOnNode();
  expect(await kept.code()).toBe(200);
  expect(await podLog()).toContain('is waiting to start');
  expect((await servingCertificate(server.port, first.admin)).serialNumber).toBe(
    serialOf(first.serving),
  );

  pkiClockMs = undefined;
  expect(await pki.renew()).toBe(true);

  expect(serialOf(pki.serving)).not.toBe(serialOf(first.serving));
  expect((await servingCertificate(server.port, pki.admin)).serialNumber).toBe(
    serialOf(pki.serving),
  );
  expect((await servingCertificate(nodeServer.port, pki.kubeletClient)).serialNumber).toBe(
    serialOf(pki.nodeServing),
  );
  await secrets.create(secret('after-renewal'));
  await eventually(() => expect(seen).toContain('after-renewal'));
  expect(await podLog()).toContain('is waiting to start');

  // The first certificates end for real: TLS has no other clock.
  const late = connectionOf(first.admin);
  await eventually(async () => expect(await kept.code()).toBe(401), { timeoutMs: 30_000 });
  expect(Date.now()).toBeGreaterThan(Date.parse(new X509Certificate(first.admin.cert).validTo));
  expect(await late.code()).toBe(401);
  await secrets.create(secret('after-the-end'));
  await eventually(() => expect(seen).toContain('after-the-end'));
  expect(await podLog()).toContain('is waiting to start');

  kept.close();
  late.close();
  stop.abort();
  await watching;
});
