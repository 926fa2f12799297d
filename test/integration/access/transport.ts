/** How requests get to the server: HTTP/2, HTTP/1.1, and bytes for what no client library sends. */
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { Agent, request as requestHttps } from 'node:https';
import { connect as connectTls, createSecureContext } from 'node:tls';

/** Of one role. */
export interface Connection {
  readonly port: number;
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface OutgoingRequest {
  readonly method: string;
  readonly target: string;
  readonly contentType: string;
  readonly body: string;
}

export interface Answer {
  /** 0 where none came. */
  readonly code: number;
  readonly text: string;
  /** Why none came. */
  readonly problem?: string;
}

export interface Transport {
  send(request: OutgoingRequest): Promise<Answer>;
  close(): void;
}

/** A request that is not answered by then hangs. */
const patienceMs = 10_000;
const host = '127.0.0.1';

/**
 * Whether no more is waited for: a watch, which is told in pieces, would go on for long. It is over when it has
 * begun, or where it says so, when it has told all that there is.
 */
function isTold({ target }: OutgoingRequest, length: unknown, text: string): boolean {
  if (length !== undefined || !/[?&/]watch\b/.test(target)) return false;
  return !target.includes('sendInitialEvents') || text.includes('initial-events-end');
}

const noAnswer = (problem: string): Answer => ({ code: 0, text: '', problem });

export function http2Transport(connection: Connection): Transport {
  const { port, headers, ...tls } = connection;
  let session: ClientHttp2Session | undefined;
  const open = (): ClientHttp2Session => {
    if (session === undefined || session.closed || session.destroyed) {
      session = connectHttp2(`https://${host}:${port}`, tls);
      session.on('error', () => undefined);
    }
    return session;
  };
  return {
    send: request =>
      new Promise(resolve => {
        const { method, target, body } = request;
        const place = method === 'CONNECT' ? { ':authority': host } : { ':path': target };
        const stream = open().request(
          { ':method': method, ...place, 'content-type': request.contentType, ...headers },
          { endStream: body === '' },
        );
        let code = 0;
        let length: unknown;
        let text = '';
        stream.setTimeout(patienceMs, () => {
          resolve(noAnswer(code === 0 ? 'no answer' : `${code}, and then no end`));
          stream.close();
        });
        const mayEnd = (): void => {
          if (code < 200 || code > 299 || !isTold(request, length, text)) return;
          resolve({ code, text });
          stream.close();
        };
        stream.setEncoding('utf8');
        stream.on('response', received => {
          code = received[':status'] ?? 0;
          length = received['content-length'];
          mayEnd();
        });
        stream.on('data', (chunk: string) => {
          text += chunk;
          mayEnd();
        });
        stream.on('error', error => resolve(noAnswer(error.message)));
        stream.on('close', () =>
          resolve(code === 0 ? noAnswer('closed without an answer') : { code, text }),
        );
        if (body !== '') stream.end(body);
      }),
    close: () => session?.destroy(),
  };
}

export function http1Transport(connection: Connection): Transport {
  const { port, headers, ...tls } = connection;
  const agent = new Agent({ ...tls, keepAlive: true, maxSockets: 16 });
  const send = (request: OutgoingRequest, retried = false): Promise<Answer> =>
    new Promise(resolve => {
      const { method, target, body, contentType } = request;
      const length = { 'content-type': contentType, 'content-length': Buffer.byteLength(body) };
      const sent = requestHttps(
        { agent, host, port, method, path: target, headers: { ...length, ...headers } },
        response => {
          const code = response.statusCode ?? 0;
          let text = '';
          const mayEnd = (): void => {
            if (code > 299 || !isTold(request, response.headers['content-length'], text)) return;
            resolve({ code, text });
            response.destroy();
          };
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            text += chunk;
            mayEnd();
          });
          response.on('end', () => resolve({ code, text }));
          response.on('error', error => resolve(noAnswer(error.message)));
          mayEnd();
        },
      );
      sent.setTimeout(patienceMs, () => sent.destroy(new Error('no answer')));
      sent.on('error', error => {
        // The server may have ended a connection just as it was to be used again.
        if (sent.reusedSocket && !retried) resolve(send(request, true));
        else resolve(noAnswer(error.message));
      });
      sent.end(body);
    });
  return {
    send: request => send(request),
    close: () => agent.destroy(),
  };
}

/** A connection a request, and the answer's head alone: for upgrades, and for methods that Node's client would change. */
export function rawTransport(
  { port, headers, ...tls }: Connection,
  more: readonly string[] = [],
): Transport {
  const secureContext = createSecureContext(tls);
  return {
    send: ({ method, target, contentType, body }) =>
      new Promise(resolve => {
        const lines = [
          `${method} ${target} HTTP/1.1`,
          'host: 127.0.0.1',
          `content-type: ${contentType}`,
          `content-length: ${Buffer.byteLength(body)}`,
          ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
          ...more,
        ];
        const socket = connectTls({ port, host, secureContext });
        let text = '';
        const end = (answer: Answer): void => {
          resolve(answer);
          socket.destroy();
        };
        socket.setEncoding('latin1');
        socket.setTimeout(patienceMs, () => end(noAnswer('no answer')));
        socket.on('secureConnect', () => socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`));
        socket.on('data', (chunk: string) => {
          text += chunk;
          const code = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
          if (code !== undefined && text.includes('\r\n\r\n'))
            end({ code: Number(code), text: '' });
        });
        socket.on('error', error => end(noAnswer(error.message)));
        socket.on('close', () => end(noAnswer('closed without an answer')));
      }),
    close: () => undefined,
  };
}

export const upgradeHeaders = {
  websocket: [
    'connection: Upgrade',
    'upgrade: websocket',
    'sec-websocket-version: 13',
    'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==',
    'sec-websocket-protocol: v5.channel.k8s.io',
  ],
  spdy: [
    'connection: Upgrade',
    'upgrade: SPDY/3.1',
    'x-stream-protocol-version: v4.channel.k8s.io',
  ],
} as const;
