import { once, setMaxListeners } from 'node:events';
import { connect, constants, type ClientHttp2Session, type ClientSessionOptions } from 'node:http2';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { gunzipSync } from 'node:zlib';
import { parse } from 'yaml';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { secretResource } from '../../src/api/core/v1/secret.ts';
import { createClient } from '../../src/client/http-client.ts';
import { createInformer } from '../../src/client/informer.ts';
import type { KeyPair } from '../../src/server/pki/key-pair.ts';
import { startLocalApi, type LocalApi } from '../support/local-api.ts';

const MiB = 1024 * 1024;
let api: LocalApi;
beforeAll(async () => (api = await startLocalApi()));
afterAll(() => api.close());

const createSecret = async (name: string, bytes: number, namespace = 'default'): Promise<void> => {
  const value = Buffer.alloc(bytes, name).toString('base64');
  const { code } = await api.ask({
    path: `/api/v1/namespaces/${namespace}/secrets`,
    body: { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data: { value } },
  });
  expect(code).toBe(201);
};
const createNamespace = async (name: string): Promise<void> => {
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  expect((await api.ask({ path: '/api/v1/namespaces', body })).code).toBe(201);
};

const sessions: ClientHttp2Session[] = [];
afterEach(() => {
  for (const session of sessions.splice(0)) session.destroy();
});
const open = (as: Partial<KeyPair>, options: ClientSessionOptions = {}): ClientHttp2Session => {
  const session = connect(`https://127.0.0.1:${api.port}`, { ca: api.pki.ca, ...as, ...options });
  session.on('error', () => undefined);
  sessions.push(session);
  return session;
};
/** A request whose answer's body is not read. @returns the answer's head */
const head = (session: ClientHttp2Session, path: string) =>
  new Promise<{ ':status'?: number; 'retry-after'?: string }>((resolve, reject) => {
    const stream = session.request({ ':path': path });
    stream.once('response', resolve);
    stream.once('error', reject);
  });

test('a controller that is behind for a moment keeps its watch', async () => {
  await createNamespace('behind');
  await createSecret('large', 0.9 * MiB, 'behind');
  const path = '/api/v1/namespaces/behind/secrets';
  const { text } = await api.ask({ path: `${path}?limit=1` });
  const version = /"resourceVersion":"(\d+)"/.exec(text)?.[1] ?? '';
  const stream = open(api.pki.controllers).request({
    ':path': `${path}?watch=true&resourceVersion=${version}`,
  });
  await once(stream, 'response');
  const count = 12;
  for (let i = 0; i < count; i += 1) {
    const body = {
      metadata: { name: 'large', annotations: { n: String(i) } },
      data: { v: Buffer.alloc(0.9 * MiB).toString('base64') },
    };
    expect((await api.ask({ method: 'PUT', path: `${path}/large`, body })).code).toBe(200);
  }
  let changes = 0;
  for await (const chunk of stream.setEncoding('utf8')) {
    changes += (chunk as string).split('"type":"MODIFIED"').length - 1;
    if (changes >= count) break;
  }
  expect(changes).toBe(count);
});

test('an agent watches forty secrets of almost 1 MiB by name, over one client, at once', async () => {
  const count = 40;
  await Promise.all(
    Array.from({ length: count }, (_, i) => createSecret(`large-${i}`, 0.95 * MiB)),
  );
  const client = createClient({
    server: `https://127.0.0.1:${api.port}`,
    certificateAuthority: api.pki.ca,
    clientCertificate: api.pki.admin.cert,
    clientKey: api.pki.admin.key,
  });
  const lost: unknown[] = [];
  const nothing = (): void => undefined;
  const log = {
    debug: nothing,
    info: nothing,
    error: nothing,
    warn: (...line: unknown[]) => void lost.push(line),
  };
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const informers = Array.from({ length: count }, (_, i) =>
    createInformer(client.resource(secretResource), {
      namespace: 'default',
      fieldSelector: `metadata.name=large-${i}`,
      signal: stop.signal,
      log,
    }),
  );
  await Promise.all(informers.map(({ synced }) => synced));
  expect(informers.flatMap(informer => informer.list())).toHaveLength(count);
  stop.abort();
  await client.close();
  expect(lost).toEqual([]);
});

test('one address that holds half of the reads is put off, and an administrator is served', async () => {
  // It lets no body come: each answer stays in flight.
  const stuck = open({}, { settings: { initialWindowSize: 0 } });
  const answers = await Promise.all(Array.from({ length: 201 }, () => head(stuck, '/version')));
  const codes = answers.map(answer => answer[':status']);
  expect(codes.filter(code => code === 200)).toHaveLength(200);
  const refused = answers.find(answer => answer[':status'] === 429);
  expect(refused?.['retry-after']).toBe('1');
  expect((await api.ask({ path: '/api/v1/namespaces/default' })).code).toBe(200);
  const again = await api.ask({ path: '/version', as: null });
  expect([again.code, again.body]).toEqual([
    429,
    expect.objectContaining({
      kind: 'Status',
      reason: 'TooManyRequests',
      message: 'Too many requests, please try again later.',
    }),
  ]);
  expect((await api.ask({ path: '/metrics' })).text).toContain(
    'apiserver_dropped_requests_total{request_kind="readOnly"} 2\n',
  );
});

describe('service accounts that take all the writes they can', () => {
  const reviews = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const review = JSON.stringify({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { verb: 'get', resource: 'secrets', namespace: 'default' } },
  });
  const tokenOf = async (namespace: string, name: string): Promise<string> => {
    const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } };
    expect((await api.ask({ path: accounts, body: account })).code).toBe(201);
    const kind = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest' };
    const answer = await api.ask({ path: `${accounts}/${name}/token`, body: kind });
    return (answer.body['status'] as { token: string }).token;
  };
  let attackers: string[];
  let neighbour: string;
  let other: string;
  beforeAll(async () => {
    await createNamespace('attackers');
    await createNamespace('others');
    const names = Array.from({ length: 12 }, (_, i) => `attacker-${i}`);
    attackers = await Promise.all(names.map(name => tokenOf('attackers', name)));
    neighbour = await tokenOf('attackers', 'neighbour');
    other = await tokenOf('others', 'other');
  });
  const post = (session: ClientHttp2Session, token: string, body: string) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': reviews,
      'content-type': 'application/json',
      'content-length': String(review.length),
      authorization: `Bearer ${token}`,
    });
    stream.on('error', () => undefined);
    if (body === review) stream.end(body);
    else stream.write(body);
    return stream;
  };
  const write = async (token: string): Promise<number> =>
    (await api.ask({ path: reviews, body: review, token })).code;

  test('send one byte and then nothing: everybody else writes on', async () => {
    for (const token of attackers) {
      const session = open({});
      for (let i = 0; i < 60; i += 1) post(session, token, '{');
      // The server has their heads, because it answers what was sent after them.
      await new Promise<void>(resolve => session.ping(() => resolve()));
    }
    expect(await write(other)).toBe(201);
    expect(await write(neighbour)).toBe(201);
    expect(await write(attackers[0] ?? '')).toBe(201);
  });

  test('do not read their answers: they count as one client, and each other one gets through', async () => {
    const codes = await Promise.all(
      attackers.flatMap(token => {
        const session = open({}, { settings: { initialWindowSize: 0 } });
        return Array.from({ length: 60 }, async () => {
          const stream = post(session, token, review);
          return new Promise<number>((resolve, reject) => {
            stream.once('response', headers => resolve(headers[':status'] ?? 0));
            stream.once('error', reject);
          });
        });
      }),
    );
    const served = codes.filter(code => code === 201).length;
    // Half of 200, and 4 for each of the others.
    expect(served).toBeGreaterThanOrEqual(100);
    expect(served).toBeLessThanOrEqual(100 + 4 * 11);
    expect(new Set(codes)).toEqual(new Set([201, 429]));
    expect(await write(other)).toBe(201);
    expect(await write(neighbour)).toBe(201);
  });
});

describe('a list that is sent while it is read', () => {
  const path = '/api/v1/namespaces/lists/secrets';
  const names = Array.from({ length: 60 }, (_, i) => `s-${String(i).padStart(2, '0')}`);
  type List = { items: { metadata: { name: string } }[] };
  let whole: List;
  const read = async (query: string, headers: Record<string, string> = {}): Promise<string> =>
    (await api.ask({ path: `${path}${query}`, headers })).text;
  beforeAll(async () => {
    await createNamespace('lists');
    await Promise.all(names.map(name => createSecret(name, 100_000, 'lists')));
  });
  beforeEach(async () => {
    whole = JSON.parse(await read('')) as List;
  });

  test('has all items, in order, whichever form is asked for', async () => {
    expect(whole.items.map(({ metadata }) => metadata.name)).toEqual(names);
    expect(parse(await read('', { accept: 'application/yaml' }))).toEqual(whole);
    expect(await read('?pretty=true')).toBe(`${JSON.stringify(whole, null, 2)}\n`);
    const as = (what: string): string => `application/json;as=${what};g=meta.k8s.io;v=v1`;
    const table = JSON.parse(await read('?includeObject=Object', { accept: as('Table') })) as {
      rows: { object: unknown }[];
    };
    expect(table.rows.map(({ object }) => object)).toMatchObject(
      whole.items.map(({ metadata }) => ({ metadata })),
    );
    const partial = JSON.parse(await read('', { accept: as('PartialObjectMetadataList') })) as List;
    expect(partial.items.map(({ metadata }) => metadata)).toEqual(
      whole.items.map(({ metadata }) => metadata),
    );
  });

  test('is compressed for those who take that', async () => {
    const session = open(api.pki.admin);
    const stream = session.request({ ':path': path, 'accept-encoding': 'gzip' });
    const body = Buffer.concat((await stream.toArray()) as Buffer[]);
    expect(JSON.parse(gunzipSync(body).toString())).toEqual(whole);
  });

  test('of nothing is a list still', async () => {
    await createNamespace('empty');
    const empty = '/api/v1/namespaces/empty/secrets';
    const json = (await api.ask({ path: empty })).body;
    expect(json).toMatchObject({ kind: 'SecretList', items: [] });
    const yaml = await api.ask({ path: empty, headers: { accept: 'application/yaml' } });
    expect(parse(yaml.text)).toEqual(json);
    const pretty = await api.ask({ path: `${empty}?pretty=1` });
    expect(pretty.text).toBe(`${JSON.stringify(json, null, 2)}\n`);
  });
});

test('a body that was cut off over HTTP/2 is not taken for a whole one', async () => {
  const session = open(api.pki.admin);
  const [complete, cut] = ['complete', 'cut'].map(name => {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/api/v1/namespaces/default/configmaps',
      'content-type': 'application/yaml',
    });
    stream.on('error', () => undefined);
    stream.write(`{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}}}\n`);
    return stream;
  });
  await new Promise<void>(resolve => session.ping(() => resolve()));
  cut?.close(constants.NGHTTP2_CANCEL);
  if (cut !== undefined) await once(cut, 'close');
  complete?.end();
  await new Promise(resolve => complete?.once('response', resolve));
  const codeOf = async (name: string): Promise<number> =>
    (await api.ask({ path: `/api/v1/namespaces/default/configmaps/${name}` })).code;
  expect(await codeOf('complete')).toBe(200);
  expect(await codeOf('cut')).toBe(404);
});

test.each([
  ['two reads at a time', 2, [200, 429]],
  ['reads without a limit', 0, [200, 200]],
])('%s, as the server is told', async (_, readOnly, codes) => {
  const own = await startLocalApi({ inFlight: { readOnly, mutating: 1, longRunning: 1 } });
  try {
    const session = connect(`https://127.0.0.1:${own.port}`, {
      ca: own.pki.ca,
      settings: { initialWindowSize: 0 },
    });
    sessions.push(session);
    // The answer is not read, and so under way.
    const first = await head(session, '/version');
    const second = await own.ask({ path: '/version', as: null });
    expect([first[':status'], second.code]).toEqual(codes);
    expect((await own.ask({ path: '/readyz', as: null })).code).toBe(200);
  } finally {
    await own.close();
  }
});

test('idle connections of many addresses lock nobody out, and end none that is busy', async () => {
  const own = await startLocalApi({ maxConnections: 100 });
  const idle: TLSSocket[] = [];
  try {
    const tlsFrom = (localAddress: string, as: ConnectionOptions = {}): TLSSocket => {
      const options = { host: '127.0.0.1', port: own.port, localAddress, ca: own.pki.ca, ...as };
      return connectTls(options);
    };
    const from = (localAddress: string, as: Partial<KeyPair> = {}): ClientHttp2Session => {
      const session = connect(`https://127.0.0.1:${own.port}`, {
        createConnection: () => tlsFrom(localAddress, { ALPNProtocols: ['h2'], ...as }),
      });
      session.on('error', () => undefined);
      sessions.push(session);
      return session;
    };
    const watcher = from('127.0.2.1', own.pki.admin);
    const watch = watcher.request({ ':path': '/api/v1/namespaces?watch=true' });
    watch.on('error', () => undefined);
    await once(watch, 'response');

    for (let i = 0; i < 150; i += 1) {
      const socket = tlsFrom(`127.0.1.${1 + (i % 40)}`);
      socket.on('error', () => undefined);
      idle.push(socket);
      await Promise.race([once(socket, 'secureConnect'), once(socket, 'close')]);
    }
    const closed = idle.filter(socket => socket.closed).length;
    expect(closed).toBeGreaterThan(50);
    expect((await head(from('127.0.3.1'), '/version'))[':status']).toBe(200);
    const admin = from('127.0.1.1', own.pki.admin);
    expect((await head(admin, '/api/v1/namespaces/default'))[':status']).toBe(200);
    expect([watch.closed, watcher.closed]).toEqual([false, false]);
    const said = own.log.filter(({ message }) => message.startsWith('Too many connections'));
    expect(said).toHaveLength(1);
  } finally {
    for (const socket of idle) socket.destroy();
    await own.close();
  }
});
