import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https';
import { connect as connectTls, type TLSSocket } from 'node:tls';

export interface Credentials {
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
}

export interface Call {
  readonly method?: string;
  readonly path: string;
  readonly body?: string | Buffer;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
}

export interface Answer {
  /** The status code, `closed` where the server ended the connection, `unanswered` after the time limit. */
  readonly outcome: number | 'closed' | 'unanswered';
  /** The beginning of the body. */
  readonly text: string;
  readonly bytes: number;
}

/** A client that takes no care of the server. */
export interface Client {
  /** Over HTTP/1.1. Never rejects. */
  call(call: Call): Promise<Answer>;
  /** As `call`, and throws where it was not answered with 2xx: for what an abuse needs first. */
  mustCall(call: Call): Promise<Answer>;
  /** A connection for bytes that no client library would send. Rejects where the server refuses it. */
  tls(protocol?: 'http/1.1' | 'h2'): Promise<TLSSocket>;
  /** As `tls`, over a TCP connection that can be reset. */
  resettable(): Promise<{ socket: TLSSocket; reset(): void }>;
  http2(): ClientHttp2Session;
  /** `authorization: Bearer …` where there is a token. */
  readonly authorization: Readonly<Record<string, string>>;
  close(): void;
}

const answerWithinMs = 15_000;
/** What is no abuse itself may take longer. */
const preparedWithinMs = 60_000;
const keptTextBytes = 1024 * 1024;

export function createClient(port: number, ca: string, credentials: Credentials = {}): Client {
  const { cert, key, token } = credentials;
  const target = {
    host: '127.0.0.1',
    port,
    ca,
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  };
  const authorization: Record<string, string> =
    token === undefined ? {} : { authorization: `Bearer ${token}` };
  const agent = new Agent({ keepAlive: true, maxSockets: 512 });
  const opened = new Set<{ destroy(): unknown }>();
  const keep = <T extends { destroy(): unknown; once(event: 'close', done: () => void): unknown }>(
    connection: T,
  ): T => {
    opened.add(connection);
    connection.once('close', () => opened.delete(connection));
    return connection;
  };

  const call = (
    { method = 'GET', path, body, contentType = 'application/json', headers }: Call,
    withinMs = answerWithinMs,
  ): Promise<Answer> =>
    new Promise(resolve => {
      const options: RequestOptions = {
        ...target,
        agent,
        method,
        path,
        headers: {
          ...authorization,
          ...(body === undefined
            ? {}
            : { 'content-type': contentType, 'content-length': Buffer.byteLength(body) }),
          ...headers,
        },
      };
      const sent = httpsRequest(options, response => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          if (bytes < keptTextBytes) chunks.push(chunk);
          bytes += chunk.length;
        });
        const done = (outcome: Answer['outcome']): void => {
          clearTimeout(timer);
          resolve({ outcome, bytes, text: Buffer.concat(chunks).toString() });
        };
        response.once('end', () => done(response.statusCode ?? 'closed'));
        response.once('error', () => done('closed'));
      });
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        sent.destroy();
        resolve({ outcome: 'unanswered', bytes: 0, text: '' });
      }, withinMs);
      sent.once('error', () => {
        clearTimeout(timer);
        if (!late) resolve({ outcome: 'closed', bytes: 0, text: '' });
      });
      sent.end(body);
    });

  return {
    authorization,
    call: wanted => call(wanted),
    async mustCall(wanted) {
      const answer = await call(wanted, preparedWithinMs);
      if (typeof answer.outcome === 'number' && answer.outcome < 300) return answer;
      throw new Error(
        `${wanted.method ?? 'GET'} ${wanted.path}: ${answer.outcome} ${answer.text.slice(0, 500)}`,
      );
    },
    async tls(protocol = 'http/1.1') {
      const socket = keep(connectTls({ ...target, ALPNProtocols: [protocol] }));
      await once(socket, 'secureConnect');
      socket.on('error', () => undefined);
      return socket;
    },
    async resettable() {
      const tcp = keep(connectTcp(port, '127.0.0.1'));
      tcp.on('error', () => undefined);
      const socket = keep(connectTls({ ...target, socket: tcp, ALPNProtocols: ['http/1.1'] }));
      await once(socket, 'secureConnect');
      socket.on('error', () => undefined);
      return { socket, reset: () => tcp.resetAndDestroy() };
    },
    http2() {
      const session = keep(connectHttp2(`https://127.0.0.1:${port}`, target));
      session.on('error', () => undefined);
      return session;
    },
    close() {
      agent.destroy();
      for (const connection of opened) connection.destroy();
    },
  };
}
