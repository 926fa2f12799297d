import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectHttp2 } from 'node:http2';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createClient } from '../../src/client/http-client.ts';
import { createLogger } from '../../src/machinery/log.ts';
import { openPki, type KeyPair, type Pki } from '../../src/server/pki/pki.ts';
import { startServer, type RunningServer } from '../../src/server/start-server.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';

const rounds = 50;
let folder: string;
let pki: Pki;
let store: Store;
let server: RunningServer;
let logged = '';

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'keylet-hostile-'));
  pki = await openPki({
    dir: path.join(folder, 'pki'),
    names: ['127.0.0.1', 'localhost'],
    nodeName: 'node-1',
    nodeNames: ['127.0.0.1'],
  });
  store = await openStore({ path: path.join(folder, 'store'), keysDir: path.join(folder, 'keys') });
  const log = createLogger({ level: 'debug', write: line => (logged += line) });
  server = await startServer({ store, pki, host: '127.0.0.1', port: 0, version: '0.0.0', log });
});
beforeEach(() => {
  logged = '';
});
afterAll(async () => {
  await server.close();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

/** A connection, and the TCP socket below it, which can be reset. */
async function open(identity: KeyPair | undefined, protocol: string) {
  const tcp: Socket = connectTcp(server.port, '127.0.0.1');
  const tls = connectTls({ socket: tcp, ca: pki.ca, ALPNProtocols: [protocol], ...identity });
  for (const socket of [tcp, tls]) socket.on('error', () => undefined);
  await once(tls, 'secureConnect');
  return { tcp, tls };
}

const reset = async (tcp: Socket): Promise<void> => {
  const closed = once(tcp, 'close');
  tcp.resetAndDestroy();
  await closed;
};

const attacks: Record<string, (identity: KeyPair | undefined) => Promise<void>> = {
  async 'reset in the middle of a body'(identity) {
    const { tcp, tls } = await open(identity, 'http/1.1');
    const head = [
      'POST /api/v1/namespaces/default/secrets HTTP/1.1',
      'host: keylet',
      'content-type: application/json',
      'content-length: 1000000',
    ];
    const sent = once(tls, 'drain').catch(() => undefined);
    const waits = !tls.write(`${head.join('\r\n')}\r\n\r\n{"data":{"k":"${'x'.repeat(100_000)}`);
    // An anonymous one is answered before its body was read.
    if (waits) await Promise.race([sent, once(tls, 'data')]);
    await reset(tcp);
  },
  async 'reset in the middle of an HTTP/2 stream'(identity) {
    const { tcp, tls } = await open(identity, 'h2');
    const session = connectHttp2('https://keylet', { createConnection: () => tls });
    session.on('error', () => undefined);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/api/v1/namespaces/default/secrets',
      'content-type': 'application/json',
    });
    stream.on('error', () => undefined);
    await new Promise(resolve => stream.write('{"data":{"k":"', resolve));
    await reset(tcp);
    session.destroy();
  },
  async 'what is no TLS'() {
    const tcp = connectTcp(server.port, '127.0.0.1').on('error', () => undefined);
    tcp.end('GET / HTTP/1.1\r\n\r\n');
    await once(tcp.resume(), 'close');
  },
  async 'what is no HTTP'(identity) {
    const { tcp, tls } = await open(identity, 'http/1.1');
    tls.end('\u0000\n2026-01-01T00:00:00.000Z error Forged\r\n\r\n');
    await once(tls.resume(), 'close');
    tcp.destroy();
  },
  async 'an upgrade that is reset'(identity) {
    const { tcp, tls } = await open(identity, 'http/1.1');
    const head = [
      'POST /api/v1/namespaces/default/pods/p/exec HTTP/1.1',
      'host: keylet',
      'connection: upgrade',
      'upgrade: SPDY/3.1',
    ];
    await new Promise(resolve => tls.write(`${head.join('\r\n')}\r\n\r\n`, resolve));
    await reset(tcp);
  },
};

test.each(
  Object.keys(attacks).flatMap(attack => [
    { attack, who: 'nobody' as const },
    { attack, who: 'admin' as const },
  ]),
)('$who: $attack writes nothing to the log', async ({ attack, who }) => {
  const identity = who === 'admin' ? pki.admin : undefined;
  for (let round = 0; round < rounds; round += 1) await attacks[attack]?.(identity);
  const client = createClient({
    server: `https://127.0.0.1:${server.port}`,
    certificateAuthority: pki.ca,
    clientCertificate: pki.admin.cert,
    clientKey: pki.admin.key,
  });
  expect((await client.raw('GET', '/readyz')).status).toBe(200);
  await client.close();
  expect(logged).toBe('');
});
