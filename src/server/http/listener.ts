import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  constants,
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import {
  createConnections,
  defaultConnectionLimits,
  type Connection,
  type ConnectionLimits,
} from './limits/connections.ts';
import { createDescriptorCheck } from './limits/descriptors.ts';
import { createResetBudget } from './limits/resets.ts';
import { guard } from '../../machinery/unexpected.ts';
import { guardListener } from '../../machinery/guard-listener.ts';
import { maxRequestHeadBytes } from '../../machinery/request-head.ts';
import { requestHeadTooLarge } from '../../machinery/status.ts';
import type { Logger } from '../../machinery/log.ts';

export type AnyRequest = IncomingMessage | Http2ServerRequest;
export type AnyResponse = ServerResponse | Http2ServerResponse;

export interface ListenerCertificates {
  readonly cert: string;
  readonly key: string;
  /** Client certificates that this signed are told from others. */
  readonly ca: string;
}

export interface ListenerOptions extends ListenerCertificates {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** @default kube-apiserver's */
  readonly limits?: ConnectionLimits;
  /** How many connections there are file descriptors for. */
  readonly maxConnections?: number | undefined;
  readonly log: Logger;
  /** The name in the connection's client certificate, if that was verified. */
  verifiedNameOf(socket: TLSSocket): string | undefined;
  onRequest(request: AnyRequest, response: AnyResponse): void;
  onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

export interface Listener {
  readonly port: number;
  /** For connections from now on; those that are open go on. */
  setCertificates(certificates: ListenerCertificates): void;
  /** Stops accepting, and ends what is open. */
  close(): Promise<void>;
}

const windowBytes = 1024 * 1024;
/** Clients open more connections where they need more. */
const maxStreams = 1000;
/** Answers are sent in slices, so that so many streams do not hold more; see also `limits/unsent-bytes.ts`. */
const maxSessionMemoryMb = 128;
const handshakeTimeoutMs = 10_000;
/** How long a session that is to close may take. */
const closeTimeoutMs = 5_000;
const sweepEveryMs = 5_000;

/** HTTPS, HTTP/2 and HTTP/1.1 on one port. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const server = createSecureServer({
    allowHTTP1: true,
    cert: options.cert,
    key: options.key,
    ca: options.ca,
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: handshakeTimeoutMs,
    settings: { maxConcurrentStreams: maxStreams, initialWindowSize: windowBytes },
    maxSessionMemory: maxSessionMemoryMb,
  });
  const { limits = defaultConnectionLimits, maxConnections = Infinity, log } = options;
  const connections = createConnections({
    // Some descriptors are left for those that are closing: what exceeds `maxConnections` is dropped unseen.
    limits: { ...limits, max: Math.min(limits.max, Math.floor(maxConnections * 0.9)) },
    onLimited: open =>
      log.warn('Too many connections: idle ones are closed, or new ones refused', {
        name: 'API',
        open,
      }),
  });
  const descriptors = createDescriptorCheck(log);
  const sweep = setInterval(() => {
    // Once what has arrived is read: after a busy time, a connection that looks idle may not be.
    setImmediate(() => connections.sweep());
    descriptors.sweep();
  }, sweepEveryMs).unref();
  // Node closes connections of HTTP/1.1 that were idle for five seconds, and those whose next request waits
  // behind a busy event loop with them.
  Object.assign(server, { keepAliveTimeout: limits.idleMs, maxHeaderSize: maxRequestHeadBytes });
  const sockets = new Set<Socket>();
  /** By the peer's address and port: TLS and HTTP/2 wrap the socket that was accepted. */
  const accepted = new Map<string, Connection>();
  const sessions = new Map<string, ServerHttp2Session>();
  const byCarrier = new WeakMap<object, Connection>();
  const connectionOf = (
    carrier: object | undefined,
    socket: Socket | undefined,
  ): Connection | undefined => {
    if (carrier === undefined || socket === undefined) return undefined;
    let connection = byCarrier.get(carrier);
    if (connection === undefined) {
      connection = accepted.get(peerOf(socket));
      if (connection !== undefined) byCarrier.set(carrier, connection);
    }
    return connection;
  };

  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket);
    const connection = connections.open(socket.remoteAddress ?? '', () => {
      const session = sessions.get(peer);
      if (session === undefined) return void socket.destroy();
      // Its client learns that requests which it sends meanwhile are not handled, and repeats them.
      session.close();
      setTimeout(() => socket.destroy(), closeTimeoutMs).unref();
    });
    if (connection === undefined) return void socket.destroy();
    sockets.add(socket);
    accepted.set(peer, connection);
    socket.once('close', () => {
      sockets.delete(socket);
      accepted.delete(peer);
      sessions.delete(peer);
      connection.closed();
    });
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    accepted.get(peerOf(socket))?.secured(options.verifiedNameOf(socket));
  });
  // All streams of a session share this window: one large body would wait for a reply at every 64 KiB.
  server.on(
    'session',
    guard({ log, operation: 'HTTP/2 session' }, (session: ServerHttp2Session) => {
      // The client may be gone already.
      if (session.destroyed) return;
      session.setLocalWindowSize(windowBytes);
      const resets = createResetBudget();
      session.on('stream', stream => {
        stream.once('close', () => {
          const isReset = stream.rstCode !== constants.NGHTTP2_NO_ERROR || !stream.writableFinished;
          // Streams that are open go on, new ones are not handled: an honest client opens another connection.
          if (isReset && resets.spend() && !session.closed) session.close();
        });
      });
      sessions.set(peerOf(session.socket), session);
    }),
  );
  const onRequest = (request: AnyRequest, response: AnyResponse): void => {
    const connection =
      'stream' in request
        ? connectionOf(request.stream.session, tlsSocketOf(request))
        : connectionOf(request.socket, request.socket);
    if (connection !== undefined) {
      connection.begin(request);
      response.on('close', () => connection.end(request));
    }
    if ('stream' in request && !request.stream.endAfterHeaders) refuseRest(request, response);
    options.onRequest(request, response);
  };
  server.on('request', (request: AnyRequest, response: AnyResponse) => {
    const destroy = (): void => void request.destroy();
    const handle = guard({ log, operation: 'request', onError: destroy }, () =>
      onRequest(request, response),
    );
    if (!('stream' in request)) return handle();
    // Once all that was read is looked at: what is reset in the same breath is not worked on.
    queueMicrotask(() => {
      if (!request.stream.destroyed && !request.stream.closed) handle();
    });
  });
  server.on('upgrade', ((request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // It is a request for as long as the connection lasts.
    connectionOf(request.socket, request.socket)?.begin({
      complete: true,
      destroy: () => socket.destroy(),
    });
    options.onUpgrade(request, socket, head);
  }) as (...args: unknown[]) => void);
  server.on('clientError', refuseUnreadable);
  server.on('sessionError', () => undefined);
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  guardListener(server, { name: 'API', maxConnections: options.maxConnections, log });
  return {
    port: (server.address() as AddressInfo).port,
    setCertificates: ({ cert, key, ca }) => server.setSecureContext({ cert, key, ca }),
    close: () =>
      new Promise(resolve => {
        clearInterval(sweep);
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** HTTP/1.1 that cannot be read is answered before there is a request. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  // The parser complains of each piece that arrives: the first is answered.
  if (socket.writableEnded) return;
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  if (error.code !== 'HPE_HEADER_OVERFLOW') {
    // Without a body: it may have been a HEAD.
    socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n');
    return;
  }
  const body = JSON.stringify(requestHeadTooLarge(maxRequestHeadBytes).status);
  socket.end(
    `HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

const peerOf = ({ remoteAddress, remotePort }: Socket): string =>
  `${remoteAddress ?? ''} ${remotePort ?? 0}`;

/** What comes of a body after its answer is not read; unless it is refused, it takes the session's window from others. */
function refuseRest(request: Http2ServerRequest, response: AnyResponse): void {
  response.once('finish', () => {
    if (!request.complete) request.stream.close(constants.NGHTTP2_NO_ERROR);
  });
}

/** The TLS socket under a request of either protocol; undefined once its connection is gone. */
export function tlsSocketOf(request: AnyRequest): TLSSocket | undefined {
  if (!('stream' in request)) return request.socket as TLSSocket;
  const { session } = request.stream;
  return session === undefined || session.destroyed ? undefined : (session.socket as TLSSocket);
}
