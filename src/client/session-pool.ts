import { connect, type ClientHttp2Session } from 'node:http2';
import type { ClientCertificates, ClientConfig } from './client.ts';

/** One HTTP/2 session of a pool. */
export interface PooledSession {
  readonly session: ClientHttp2Session;
  /** Those that it was opened with. */
  readonly certificates: ClientCertificates;
  /** Whether it was ever connected: until then nothing can have reached the server. */
  readonly connected: boolean;
  /** Requests that are open on it. */
  streams: number;
}

/** HTTP/2 sessions to one server: opened when needed, replaced when lost, several where one has no room. */
export interface SessionPool {
  /** @throws Error after `close()` */
  take(): PooledSession;
  close(): Promise<void>;
}

/** How much may be on its way to us: more than the largest object. */
const windowBytes = 4 * 1024 * 1024;
/** Unread answers are bounded by the window; the default of 10 MB counts the streams' own bookkeeping too. */
const maxSessionMemoryMb = 64;
/** More streams than this share the window badly, and servers refuse them. */
const maxStreams = 500;
const pingEveryMs = 20_000;
const pingTimeoutMs = 10_000;

export function createSessionPool(config: ClientConfig): SessionPool {
  const sessions = new Set<PooledSession>();
  let closed = false;

  const open = (certificates: ClientCertificates): PooledSession => {
    const { certificateAuthority: ca, clientCertificate: cert, clientKey: key } = certificates;
    const session = connect(config.server, {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      settings: { initialWindowSize: windowBytes },
      peerMaxConcurrentStreams: maxStreams,
      maxSessionMemory: maxSessionMemoryMb,
    });
    const pooled = { session, certificates, connected: false, streams: 0 };
    session.once('connect', (_session, socket) => {
      pooled.connected = true;
      if (session.destroyed) return;
      if ('setNoDelay' in socket) socket.setNoDelay(true);
      // All streams share this window: one large object would wait for acknowledgements at every 64 KiB.
      session.setLocalWindowSize(windowBytes);
    });
    // Its streams fail by themselves; the next request opens another session.
    session.on('error', () => undefined);
    session.on('goaway', () => {
      sessions.delete(pooled);
      session.close();
    });
    session.once('close', () => sessions.delete(pooled));
    keepAlive(session);
    sessions.add(pooled);
    return pooled;
  };

  return {
    take() {
      if (closed) throw new Error('The client is closed');
      const certificates = config.certificates?.() ?? config;
      for (const pooled of sessions) {
        const { session, streams } = pooled;
        if (!areSame(pooled.certificates, certificates)) {
          // Certificates were renewed: what it carries goes on, new requests go elsewhere.
          session.close();
          continue;
        }
        const { maxConcurrentStreams = maxStreams } = session.connecting
          ? {}
          : session.remoteSettings;
        const hasRoom = streams < Math.min(maxStreams, maxConcurrentStreams);
        if (hasRoom && !session.closed && !session.destroyed) return pooled;
      }
      return open(certificates);
    },
    async close() {
      closed = true;
      const ended = [...sessions].map(async ({ session }) => {
        if (session.destroyed) return;
        await new Promise<void>(resolve => {
          session.once('close', resolve);
          session.destroy();
        });
      });
      await Promise.all(ended);
    },
  };
}

const areSame = (a: ClientCertificates, b: ClientCertificates): boolean =>
  a.certificateAuthority === b.certificateAuthority &&
  a.clientCertificate === b.clientCertificate &&
  a.clientKey === b.clientKey;

/** Pings find out a peer that is gone without a word. */
function keepAlive(session: ClientHttp2Session): void {
  const timer = setInterval(() => {
    if (session.destroyed) return;
    const late = setTimeout(() => session.destroy(), pingTimeoutMs);
    const sent = session.ping(() => clearTimeout(late));
    if (!sent) clearTimeout(late);
  }, pingEveryMs).unref();
  session.once('close', () => clearInterval(timer));
}
