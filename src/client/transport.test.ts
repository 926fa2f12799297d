import { once } from 'node:events';
import { constants, createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTransport, type Transport } from './transport.ts';

type Answer = (stream: ServerHttp2Stream, method: string) => void;

/** Answers the requests in order; the last one answers all that follow. */
let answers: Answer[];
let requests: number;
let server: Http2Server;
let transport: Transport;
beforeEach(async () => {
  answers = [];
  requests = 0;
  server = createServer({ settings: { maxConcurrentStreams: 2 } });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    const answer = answers[Math.min(requests, answers.length - 1)];
    requests += 1;
    answer?.(stream, String(headers[':method']));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  transport = createTransport({ server: `http://127.0.0.1:${port}` });
});
afterEach(async () => {
  await transport.close();
  server.close();
});

const ok: Answer = stream => {
  stream.respond({ ':status': 200 });
  stream.end('fine');
};
const reset =
  (code: number): Answer =>
  stream =>
    stream.close(code);
const get = { method: 'GET', path: '/' };
const post = { method: 'POST', path: '/', body: '{}' };

test('a read that the connection lost is sent again, on another', async () => {
  answers = [stream => stream.session?.destroy(), ok];
  const { status, body } = await transport.request(get);
  expect([status, body.toString(), requests]).toEqual([200, 'fine', 2]);
});

test('a read whose body was cut off is sent again', async () => {
  const half: Answer = stream => {
    stream.respond({ ':status': 200, 'content-length': 4 });
    stream.write('fi', () => stream.close(constants.NGHTTP2_NO_ERROR));
  };
  answers = [half, ok];
  expect((await transport.request(get)).body.toString()).toBe('fine');
});

test('a write is sent again only where it cannot have been handled', async () => {
  answers = [reset(constants.NGHTTP2_REFUSED_STREAM), ok];
  expect((await transport.request(post)).status).toBe(200);
  requests = 0;
  answers = [reset(constants.NGHTTP2_ENHANCE_YOUR_CALM), ok];
  await expect(transport.request(post)).rejects.toThrow(/^The connection to .* was lost/);
  expect(requests).toBe(1);
});

test('gives up after a few losses', async () => {
  answers = [reset(constants.NGHTTP2_ENHANCE_YOUR_CALM)];
  await expect(transport.request(get)).rejects.toThrow('NGHTTP2_ENHANCE_YOUR_CALM');
  expect(requests).toBe(3);
});

test('what is put off with 429 is sent again after the time that the server asks for', async () => {
  const later: Answer = stream => {
    stream.respond({ ':status': 429, 'retry-after': '0' });
    stream.end('later');
  };
  answers = [later, later, ok];
  const { status, body } = await transport.request(post);
  expect([status, body.toString(), requests]).toEqual([200, 'fine', 3]);
});

test('opens another session where one has no room for more streams', async () => {
  const sessions = new Set<unknown>();
  answers = [
    stream => {
      sessions.add(stream.session);
      stream.respond({ ':status': 200 });
      stream.write('begun');
    },
  ];
  const first = await transport.open(get);
  const others = await Promise.all([1, 2, 3].map(() => transport.open(get)));
  expect([first, ...others].map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect(sessions.size).toBeGreaterThan(1);
  for (const { stream } of [first, ...others]) stream.destroy();
});

test('says why it cannot connect', async () => {
  const nobody = createTransport({ server: 'http://127.0.0.1:1' });
  await expect(nobody.request(get)).rejects.toThrow('ECONNREFUSED');
  await nobody.close();
});

test('an answer that is larger than allowed is cut off, once, and the connection goes on', async () => {
  const endless: Answer = stream => {
    stream.respond({ ':status': 200 });
    const more = (): void => {
      if (!stream.destroyed) stream.write(Buffer.alloc(64 * 1024), more);
    };
    more();
  };
  answers = [endless, ok];
  await expect(transport.request({ ...get, maxBytes: 1024 * 1024 })).rejects.toThrow(
    'The answer has more than 1048576 bytes',
  );
  expect(requests).toBe(1);
  expect((await transport.request({ ...get, maxBytes: 4 })).body.toString()).toBe('fine');
});
