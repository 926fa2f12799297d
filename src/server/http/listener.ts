import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Logger } from '../../machinery/log.ts';
import { guard } from '../../machinery/unexpected.ts';

export type AnyRequest = IncomingMessage | Http2ServerRequest;
export type AnyResponse = ServerResponse | Http2ServerResponse;

export interface ListenerOptions {
  readonly cert: string;
  readonly key: string;
  /** Client certificates that this signed are told from others. */
  readonly ca: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly log: Logger;
  /** Neither may throw. */
  onRequest(request: AnyRequest, response: AnyResponse): void;
  onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

export interface Listener {
  readonly port: number;
  /** Stops accepting, and ends what is open. */
  close(): Promise<void>;
}

const windowBytes = 1024 * 1024;

/** HTTPS, HTTP/2 and HTTP/1.1 on one port. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const server = createSecureServer({
    allowHTTP1: true,
    cert: options.cert,
    key: options.key,
    ca: options.ca,
    requestCert: true,
    rejectUnauthorized: false,
    settings: { maxConcurrentStreams: 10_000, initialWindowSize: windowBytes },
  });
  server.on('request', options.onRequest);
  server.on('upgrade', options.onUpgrade as (...args: unknown[]) => void);
  // All streams of a session share this window: one large body would wait for a reply at every 64 KiB.
  server.on(
    'session',
    guard({ log: options.log, operation: 'HTTP/2 session' }, (session: ServerHttp2Session) => {
      // The client may be gone already.
      if (!session.destroyed) session.setLocalWindowSize(windowBytes);
    }),
  );
  server.on('sessionError', () => undefined);
  server.on('tlsClientError', () => undefined);
  const sockets = new Set<Socket>();
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** The TLS socket under a request of either protocol. */
export const tlsSocketOf = (request: AnyRequest): TLSSocket =>
  ('stream' in request ? request.stream.session?.socket : request.socket) as TLSSocket;
