import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/http-client.ts';
import type { KubeClient } from '../../src/client/client.ts';
import { createVerificationPolicy } from '../../src/node/images/verification-policy.ts';
import { listeningPorts } from '../../src/node/listening-ports.ts';
import { createFakeRuntime, type FakeRuntime } from '../../src/node/runtime/fake/fake-runtime.ts';
import { startNode, type NodeAgent } from '../../src/node/start-node.ts';
import { eventually } from '../support/eventually.ts';
import { startLocalApi, type LocalApi } from '../support/local-api.ts';

const ignore = (): void => undefined;
const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };

let api: LocalApi;
beforeAll(async () => {
  api = await startLocalApi();
});
afterAll(() => api.close());

/** Runs with a client of the node's, which is closed at the end. */
async function withClient(work: (client: KubeClient) => Promise<void>): Promise<void> {
  const { ca, node } = api.pki;
  const client = createClient({
    server: `https://127.0.0.1:${api.port}`,
    certificateAuthority: ca,
    clientCertificate: node.cert,
    clientKey: node.key,
  });
  try {
    await work(client);
  } finally {
    await client.close();
  }
}

const start = (client: KubeClient, runtime: FakeRuntime, nodeName = 'node-a'): Promise<NodeAgent> =>
  startNode({
    client,
    nodeName,
    dataDir: api.dataDir,
    runtime,
    serving: { ...api.pki.nodeServing, clientCa: api.pki.ca },
    api: { host: '127.0.0.1', port: api.port },
    nameRule: 'relaxed',
    changeDetection: 'Watch',
    ttlMs: 60_000,
    syncFrequencyMs: 60_000,
    images: {
      recordsDir: path.join(api.dataDir, 'image_manager'),
      keysDir: path.join(api.dataDir, 'keys'),
      policy: createVerificationPolicy('NeverVerifyPreloadedImages'),
      onCredentialsTold: ignore,
    },
    reservedPorts: () => Promise.resolve(new Set()),
    version: '0.0.0',
    log,
  });

const ownPorts = (): Promise<Set<number>> => listeningPorts([process.pid]);

describe('startNode()', () => {
  test.each<[string, { fail?: 'version' | 'features'; nodeName?: string; error: RegExp }]>([
    ['the runtime does not answer', { fail: 'version', error: /^connection refused$/ }],
    [
      'the runtime fails after the server listens',
      { fail: 'features', error: /^connection refused$/ },
    ],
    ['the API refuses the node', { nodeName: 'node-b', error: /forbidden/ }],
  ])(
    'ends with its error and leaves nothing behind: %s',
    async (_title, { fail, nodeName, error }) => {
      const before = await ownPorts();
      await withClient(async client => {
        const runtime = createFakeRuntime();
        if (fail !== undefined) runtime.failNext(fail, new Error('connection refused'));
        await expect(start(client, runtime, nodeName)).rejects.toThrow(error);
        await eventually(async () => expect(await ownPorts()).toEqual(before));
      });
    },
  );

  test('a node that started takes its server along when it is closed', async () => {
    const before = await ownPorts();
    await withClient(async client => {
      const node = await start(client, createFakeRuntime());
      expect((await ownPorts()).size).toBe(before.size + 1);
      await node.close({ leavePods: true });
      expect(await ownPorts()).toEqual(before);
    });
  });
});
