import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import type { ClientConfig } from './client.ts';

export interface TransportRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  /** @default application/json */
  readonly accept?: string;
  readonly signal?: AbortSignal;
}

/** Requests over one HTTP/2 session, which is opened when needed and again when it was lost. */
export interface Transport {
  request(request: TransportRequest): Promise<{ status: number; body: Buffer }>;
  /** The answer's body as it comes. */
  open(request: TransportRequest): Promise<{ status: number; stream: ClientHttp2Stream }>;
  close(): Promise<void>;
}

/** How much may be on its way to us: more than the largest object. */
const windowBytes = 4 * 1024 * 1024;
const pingEveryMs = 20_000;
const pingTimeoutMs = 10_000;

export function createTransport(config: ClientConfig): Transport {
  let session: ClientHttp2Session | undefined;
  let closed = false;

  const live = (): ClientHttp2Session => {
    if (closed) throw new Error('The client is closed');
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    const opened = connect(config.server, {
      ...(config.certificateAuthority === undefined ? {} : { ca: config.certificateAuthority }),
      ...(config.clientCertificate === undefined ? {} : { cert: config.clientCertificate }),
      ...(config.clientKey === undefined ? {} : { key: config.clientKey }),
      settings: { initialWindowSize: windowBytes },
      peerMaxConcurrentStreams: 10_000,
    });
    opened.once('connect', (_session, socket) => {
      if (opened.destroyed) return;
      if ('setNoDelay' in socket) socket.setNoDelay(true);
      // All streams share this window: one large object would wait for acknowledgements at every 64 KiB.
      opened.setLocalWindowSize(windowBytes);
    });
    // Streams that it carried fail by themselves; the next request opens another.
    opened.on('error', () => undefined);
    opened.on('goaway', () => opened.close());
    keepAlive(opened);
    session = opened;
    return opened;
  };

  const open: Transport['open'] = async request => {
    const token = await config.token?.();
    const headers: Record<string, string> = {
      [constants.HTTP2_HEADER_METHOD]: request.method,
      [constants.HTTP2_HEADER_PATH]: request.path,
      accept: request.accept ?? 'application/json',
      'user-agent': config.userAgent ?? 'keylet',
      ...(request.body === undefined
        ? {}
        : { 'content-type': request.contentType ?? 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    return new Promise((resolve, reject) => {
      const stream = live().request(headers, {
        endStream: request.body === undefined,
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      });
      stream.once('error', reject);
      stream.once('close', () => reject(new Error(`The connection to ${config.server} was lost`)));
      stream.once('response', answer => resolve({ status: Number(answer[':status']), stream }));
      if (request.body !== undefined) stream.end(request.body);
    });
  };

  return {
    open,
    async request(request) {
      const { status, stream } = await open(request);
      return new Promise((resolve, reject) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.once('end', () => resolve({ status, body: Buffer.concat(chunks) }));
        stream.once('error', reject);
        stream.once('close', () =>
          reject(new Error(`The connection to ${config.server} was lost`)),
        );
      });
    },
    close() {
      closed = true;
      const last = session;
      if (last === undefined || last.destroyed) return Promise.resolve();
      return new Promise(resolve => {
        last.once('close', resolve);
        last.destroy();
      });
    },
  };
}

/** A peer that is gone without a word is found out by pings. */
function keepAlive(session: ClientHttp2Session): void {
  const timer = setInterval(() => {
    if (session.destroyed) return;
    const late = setTimeout(() => session.destroy(), pingTimeoutMs);
    const sent = session.ping(() => clearTimeout(late));
    if (!sent) clearTimeout(late);
  }, pingEveryMs).unref();
  session.once('close', () => clearInterval(timer));
}
