import { once, setMaxListeners } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { namespaceResource } from '../src/api/core/v1/namespace.ts';
import { secretResource, type Secret } from '../src/api/core/v1/secret.ts';
import type { ClientConfig, KubeClient } from '../src/client/client.ts';
import { createClient } from '../src/client/http-client.ts';
import { mintCa, mintCertificate } from '../src/server/pki/mint.ts';
import { encryptedStore } from '../src/store/encryption/encrypted-store.ts';
import { openKeyring } from '../src/store/encryption/keyring.ts';
import { openLmdbStore } from '../src/store/lmdb/lmdb-store.ts';
import { median, rate, timed, type Row } from './measure.ts';

const oneKiB = Buffer.alloc(1024, 7).toString('base64');
const secretOf = (name: string, namespace = 'bench'): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace },
  data: { value: oneKiB },
});

/** What the API does by itself: creates, reads, lists, watches. */
export async function benchApi(config: ClientConfig): Promise<Row[]> {
  const client = createClient(config);
  const secrets = client.resource(secretResource);
  await client.raw('POST', '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'bench' },
  });
  await rate(500, 64, i => secrets.create(secretOf(`warm-${i}`)));
  const post = openPoster(config);
  const creates: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const create = (i: number): Promise<void> =>
      post.send('/api/v1/namespaces/bench/secrets', JSON.stringify(secretOf(`s-${round}-${i}`)));
    creates.push(await rate(2000, 64, create));
  }
  post.close();
  const rows: Row[] = [
    {
      what: 'durable creates of 1 KiB secrets, 64 at once, over TLS',
      value: median(creates),
      unit: '/s',
      limit: { what: 'the store alone', value: await storeRate() },
      budget: { value: 3000, of: 'value', better: 'more' },
    },
    await reads(config),
    {
      what: 'LIST of 10,000 secrets',
      value: median(
        await repeat(5, () => timed(() => client.raw('GET', '/api/v1/namespaces/bench/secrets'))),
      ),
      unit: 'ms',
      budget: { value: 150, of: 'value', better: 'less' },
    },
    await fanOut(client),
  ];
  await removeNamespace(client);
  await client.close();
  return rows;
}

/** To its end: what is measured next shall not pay for it. */
async function removeNamespace(client: KubeClient): Promise<void> {
  const stop = new AbortController();
  const namespaces = client.resource(namespaceResource);
  const { metadata } = await namespaces.get('', 'bench');
  await namespaces.delete('', 'bench', {});
  const gone = {
    fieldSelector: 'metadata.name=bench',
    resourceVersion: metadata.resourceVersion ?? '',
  };
  for await (const { type } of namespaces.watch({ ...gone, signal: stop.signal }))
    if (type === 'DELETED') break;
  stop.abort();
}

/** A sender over HTTP/1.1 that does as little as can be: it shares the processors with the server. */
function openPoster({
  server,
  certificateAuthority: ca,
  clientCertificate: cert,
  clientKey: key,
}: ClientConfig) {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 64,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  });
  return {
    send: (at: string, body: string): Promise<void> =>
      new Promise((resolve, reject) => {
        const headers = {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        };
        request(`${server}${at}`, { method: 'POST', agent, headers }, response => {
          if (response.statusCode !== 201)
            reject(new Error(`a create was answered with ${response.statusCode}`));
          response.once('end', resolve).resume();
        })
          .on('error', reject)
          .end(body);
      }),
    close: () => agent.destroy(),
  };
}

async function repeat(count: number, task: () => Promise<number>): Promise<number[]> {
  const values: number[] = [];
  for (let i = 0; i < count; i += 1) values.push(await task());
  return values;
}

async function storeRate(): Promise<number> {
  const folder = await mkdtemp(path.join(tmpdir(), 'keylet-bench-'));
  const inner = await openLmdbStore({ path: path.join(folder, 'store') });
  const keyring = await openKeyring({
    keysDir: path.join(folder, 'keys'),
    sealedFile: path.join(folder, 'data.key'),
  });
  const store = encryptedStore(inner, keyring);
  const value = Buffer.alloc(1600, 7);
  const result = await rate(20_000, 64, i =>
    store.put(`/registry/core/secrets/bench/s-${i}`, value, 0),
  );
  await store.close();
  await rm(folder, { recursive: true });
  return result;
}

/** GETs over HTTP/1.1 with kept connections, of Keylet and of a server that does nothing else. */
async function reads(config: ClientConfig): Promise<Row> {
  const { server, certificateAuthority: ca, clientCertificate: cert, clientKey: key } = config;
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 64,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  });
  const get = (url: string): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      request(url, { agent, rejectUnauthorized: false }, response => {
        const chunks: Buffer[] = [];
        response
          .on('data', (chunk: Buffer) => chunks.push(chunk))
          .on('end', () => resolve(Buffer.concat(chunks)));
      })
        .on('error', reject)
        .end();
    });
  const url = `${server}/api/v1/namespaces/bench/secrets/s-1-1`;
  const body = await get(url);
  const pair = await mintCertificate(await mintCa('bench'), {
    commonName: 'bench',
    names: ['127.0.0.1'],
    usage: 'server',
  });
  const bare = createServer(pair, (_request, response) => {
    response
      .writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
      .end(body);
  }).listen(0, '127.0.0.1');
  await once(bare, 'listening');
  const bareUrl = `https://127.0.0.1:${(bare.address() as AddressInfo).port}/`;
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    ours.push(await rate(4000, 64, () => get(url)));
    theirs.push(await rate(4000, 64, () => get(bareUrl)));
  }
  agent.destroy();
  bare.closeAllConnections();
  bare.close();
  return {
    what: 'GET of a secret over TLS, 64 at once',
    value: median(ours),
    unit: '/s',
    limit: { what: 'a bare node:https server in the client’s own process', value: median(theirs) },
    budget: { value: 0.6, of: 'ratio', better: 'more' },
  };
}

async function fanOut(client: KubeClient): Promise<Row> {
  const secrets = client.resource(secretResource);
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const watchers = 1000;
  let began = 0;
  let seen = 0;
  let resolveBegan = (): void => undefined;
  let resolveSeen = (): void => undefined;
  const allBegan = new Promise<void>(resolve => (resolveBegan = resolve));
  const { metadata } = await secrets.list({ namespace: 'bench', limit: 1 });
  const run = async (): Promise<void> => {
    const options = {
      namespace: 'bench',
      resourceVersion: metadata.resourceVersion ?? '',
      signal: stop.signal,
    };
    for await (const { object } of secrets.watch(options)) {
      if (object.metadata.name === 'first' && ++began === watchers) resolveBegan();
      if (object.metadata.name?.startsWith('round-') === true && ++seen === watchers) resolveSeen();
    }
  };
  const running = Array.from({ length: watchers }, () => run().catch(() => undefined));
  await secrets.create(secretOf('first'));
  await allBegan;
  const values: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    seen = 0;
    const all = new Promise<void>(resolve => (resolveSeen = resolve));
    values.push(
      await timed(async () => {
        await secrets.create(secretOf(`round-${round}`));
        await all;
      }),
    );
  }
  stop.abort();
  await Promise.all(running);
  return {
    what: 'one write to 1,000 watchers, to the last',
    value: median(values),
    unit: 'ms',
    budget: { value: 150, of: 'value', better: 'less' },
  };
}
