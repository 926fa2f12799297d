import { connect, type ClientHttp2Session } from 'node:http2';
import type { ClientConfig } from './client.ts';

/** One HTTP/2 session of a pool. */
export interface PooledSession {
  readonly session: ClientHttp2Session;
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

  const open = (): PooledSession => {
    const session = connect(config.server, {
      ...(config.certificateAuthority === undefined ? {} : { ca: config.certificateAuthority }),
      ...(config.clientCertificate === undefined ? {} : { cert: config.clientCertificate }),
      ...(config.clientKey === undefined ? {} : { key: config.clientKey }),
      settings: { initialWindowSize: windowBytes },
      peerMaxConcurrentStreams: maxStreams,
      maxSessionMemory: maxSessionMemoryMb,
    });
    const pooled = { session, connected: false, streams: 0 };
    session.once('connect', (_session, socket) => {
      pooled.connected = true;
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
      for (const pooled of sessions) {
        const { session, streams } = pooled;
        const { maxConcurrentStreams = maxStreams } = session.connecting
          ? {}
          : session.remoteSettings;
        const hasRoom = streams < Math.min(maxStreams, maxConcurrentStreams);
        if (hasRoom && !session.closed && !session.destroyed) return pooled;
      }
      return open();
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
