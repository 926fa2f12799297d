import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/http-client.ts';
import type { KubeClient } from '../../src/client/client.ts';
import { createOperationAuthorizer } from '../../src/node/server/authorize-request.ts';
import { startNodeServer, type NodeServer } from '../../src/node/server/start-node-server.ts';
import type { Runtime } from '../../src/node/runtime/runtime.ts';
import { mintCa } from '../../src/server/pki/mint.ts';
import type { KeyPair } from '../../src/server/pki/pki.ts';
import { startLocalApi, type LocalApi } from '../support/local-api.ts';
import { oddCertificate, type OddCertificate } from '../support/odd-certificates.ts';

/*
 * The API server and the node's server trust the same CA, and have to draw the same line: whoever
 * has a certificate that is not for this is nobody at both, whatever groups it names.
 */
let api: LocalApi;
let client: KubeClient;
let node: NodeServer;
let ca: KeyPair;

beforeAll(async () => {
  api = await startLocalApi();
  const { pki } = api;
  ca = { cert: pki.ca, key: await readFile(path.join(api.dataDir, 'pki', 'ca.key'), 'utf8') };
  client = createClient({
    server: `https://127.0.0.1:${api.port}`,
    certificateAuthority: pki.ca,
    clientCertificate: pki.node.cert,
    clientKey: pki.node.key,
  });
  const nothing = (): void => undefined;
  node = await startNodeServer({
    runtime: {} as Runtime,
    serving: { ...pki.nodeServing, clientCa: pki.ca },
    authorize: createOperationAuthorizer(client, 'node-a'),
    podOf: () => undefined,
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

const askApi = async (as: KeyPair): Promise<number> =>
  (await api.ask({ path: '/api/v1/secrets', as })).code;

/** The status code; `refused` where the handshake does not even succeed. */
const askNode = (as: KeyPair): Promise<number | 'refused'> =>
  new Promise(resolve => {
    const sent = request(
      {
        host: '127.0.0.1',
        port: node.port,
        path: '/healthz',
        ca: api.pki.ca,
        cert: as.cert,
        key: as.key,
        agent: false,
      },
      response => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    sent.once('error', () => resolve('refused'));
    sent.end();
  });

const masters = { commonName: 'mallory', organization: 'system:masters' };
const forClients = ['client'] as const;

test.each<[string, OddCertificate]>([
  ['for clients', { ...masters, usages: forClients }],
  ['for clients and servers', { ...masters, usages: ['server', ...forClients] }],
  ['for any purpose', masters],
])('a good certificate %s is accepted by both servers', async (_, certificate) => {
  const pair = await oddCertificate(ca, certificate);
  expect([await askApi(pair), await askNode(pair)]).toEqual([200, 200]);
});

describe('refused by both servers is', () => {
  test.each<[string, OddCertificate, number, number | 'refused']>([
    // Nobody: as if there were no certificate.
    ['one without a CN', { organization: 'system:masters', usages: forClients }, 403, 401],
    ['one with an empty CN', { ...masters, commonName: '', usages: forClients }, 403, 401],
    ['an authority’s', { ...masters, usages: forClients, isCa: true }, 403, 401],
    // Not verified.
    ['a server’s', { ...masters, usages: ['server'] }, 401, 'refused'],
    ['an expired one', { ...masters, usages: forClients, notAfterHours: -0.5 }, 401, 'refused'],
    ['one not valid yet', { ...masters, usages: forClients, notBeforeHours: 0.5 }, 401, 'refused'],
  ])('%s', async (_, certificate, byApi, byNode) => {
    const pair = await oddCertificate(ca, certificate);
    expect([await askApi(pair), await askNode(pair)]).toEqual([byApi, byNode]);
  });

  test('one of another authority', async () => {
    const pair = await oddCertificate(await mintCa('keylet-ca'), {
      ...masters,
      usages: forClients,
    });
    expect([await askApi(pair), await askNode(pair)]).toEqual([401, 'refused']);
  });

  test('the serving certificate of either', async () => {
    for (const pair of [api.pki.serving, api.pki.nodeServing]) {
      expect([await askApi(pair), await askNode(pair)]).toEqual([401, 'refused']);
    }
  });

  test('that of the authority itself', async () => {
    expect([await askApi(ca), await askNode(ca)]).toEqual([403, 401]);
  });
});
