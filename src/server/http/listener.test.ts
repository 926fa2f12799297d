import { once } from 'node:events';
import { connect, type ClientHttp2Session, type Http2ServerResponse } from 'node:http2';
import { Agent, get } from 'node:https';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mintCa, mintCertificate } from '../pki/mint.ts';
import { listen, type Listener } from './listener.ts';

const nothing = (): void => undefined;
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

let listener: Listener;
let ca: string;
let served: string[];
beforeEach(async () => {
  const authority = await mintCa('test');
  const pair = await mintCertificate(authority, {
    commonName: 'server',
    names: ['127.0.0.1'],
    usage: 'server',
  });
  ca = authority.cert;
  served = [];
  listener = await listen({
    ...pair,
    ca,
    host: '127.0.0.1',
    port: 0,
    log,
    onRequest(request, response) {
      served.push(request.url ?? '');
      if (request.url === '/watch') (response as Http2ServerResponse).write('{}\n');
      else response.end();
    },
    verifiedNameOf: () => undefined,
    onUpgrade: (_request, socket) => socket.destroy(),
  });
});
afterEach(() => listener.close());

test('a connection of HTTP/1.1 may be idle between requests for as long as one of HTTP/2', async () => {
  const agent = new Agent({ keepAlive: true, ca });
  const request = get({ host: '127.0.0.1', port: listener.port, agent });
  const [response] = (await once(request, 'response')) as [{ headers: object }];
  expect(response.headers).toMatchObject({ connection: 'keep-alive', 'keep-alive': 'timeout=90' });
  agent.destroy();
});

/** Gives up a request once it is being answered. */
async function giveUp(session: ClientHttp2Session): Promise<void> {
  const stream = session.request({ ':path': '/watch' });
  stream.on('error', nothing);
  await new Promise(resolve => stream.once('data', resolve).once('close', resolve));
  const closed = stream.destroyed || new Promise(resolve => stream.once('close', resolve));
  stream.close(8);
  await closed;
}

test('who resets one request after the other is sent elsewhere; the rest of the connection goes on', async () => {
  const session = connect(`https://127.0.0.1:${listener.port}`, { ca });
  session.on('error', nothing);
  const watch = session.request({ ':path': '/watch' });
  await once(watch, 'data');
  const told: number[] = [];
  session.on('goaway', code => told.push(code));
  let resets = 0;
  for (; resets < 1000 && !session.closed; resets += 1) await giveUp(session);
  expect(told).toEqual([0]);
  expect(resets).toBeLessThan(500);
  expect(watch.destroyed).toBe(false);
  session.destroy();
});

test('hundreds of watches may be left at once', async () => {
  const session = connect(`https://127.0.0.1:${listener.port}`, { ca });
  session.on('error', nothing);
  const watches = Array.from({ length: 150 }, () => session.request({ ':path': '/watch' }));
  await Promise.all(watches.map(each => once(each, 'data')));
  for (const each of watches) each.close(8);
  await Promise.all(watches.map(each => once(each, 'close')));
  const after = session.request({ ':path': '/after' });
  await once(after, 'response');
  expect(session.closed).toBe(false);
  session.destroy();
});
