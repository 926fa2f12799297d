import { constants, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClientConfig } from './client.ts';
import { createSessionPool } from './session-pool.ts';

export interface TransportRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  /** @default application/json */
  readonly accept?: string;
  /** Of the answer's body: a larger one is cut off, and `request` rejects with AnswerTooLargeError. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

/**
 * Requests over HTTP/2. A request that a lost connection left unanswered is sent again when that is
 * safe: it is a read, or it never reached the server. So is one that the server put off (429 with
 * `Retry-After`), as client-go does.
 */
export interface Transport {
  request(request: TransportRequest): Promise<{ status: number; body: Buffer }>;
  /** The answer's body as it comes. */
  open(request: TransportRequest): Promise<{ status: number; stream: ClientHttp2Stream }>;
  close(): Promise<void>;
}

/** The answer has more bytes than the request allowed for. */
export class AnswerTooLargeError extends Error {
  constructor(maxBytes: number) {
    super(`The answer has more than ${maxBytes} bytes`);
    this.name = 'AnswerTooLargeError';
  }
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly stream: ClientHttp2Stream;
}

/** The connection failed the request: nothing is known of what the server did, unless it was unsent. */
class ConnectionLostError extends Error {
  /** The server has certainly not begun to handle the request. */
  readonly unhandled: boolean;

  constructor(server: string, { unhandled, cause }: { unhandled: boolean; cause?: unknown }) {
    const detail = cause instanceof Error ? `: ${cause.message}` : '';
    super(`The connection to ${server} was lost${detail}`, { cause });
    this.name = 'ConnectionLostError';
    this.unhandled = unhandled;
  }
}

const maxLosses = 3;
const firstDelayMs = 50;
/** client-go's. */
const maxPostponements = 10;

export function createTransport(config: ClientConfig): Transport {
  const pool = createSessionPool(config);

  const send = async (request: TransportRequest): Promise<Answer> => {
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
      const pooled = pool.take();
      const stream = pooled.session.request(headers, {
        endStream: request.body === undefined,
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      });
      pooled.streams += 1;
      let failure: Error | undefined;
      // Kept until the end: an error without a listener would end the process.
      stream.on('error', error => (failure = error));
      stream.once('close', () => {
        pooled.streams -= 1;
        reject(request.signal?.aborted === true ? abortReason(request.signal) : lost());
      });
      const lost = (): Error => {
        // What the connection could not even begin is told as it is: the address or the certificate is wrong.
        if (!pooled.connected && failure !== undefined) return failure;
        const unhandled = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
        return new ConnectionLostError(config.server, { unhandled, cause: failure });
      };
      stream.once('response', answer =>
        resolve({ status: Number(answer[':status']), headers: answer, stream }),
      );
      if (request.body !== undefined) stream.end(request.body);
    });
  };

  const bodyOf = (
    { stream, headers }: Answer,
    { signal, maxBytes = Infinity }: TransportRequest,
  ): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      let failure: Error | undefined;
      stream.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes <= maxBytes) return;
        reject(new AnswerTooLargeError(maxBytes));
        stream.close(constants.NGHTTP2_CANCEL);
      });
      stream.once('end', () => {
        const body = Buffer.concat(chunks);
        // Node ends the body of a stream that was reset, too: the rest then comes as `close`.
        const isWhole = body.length === Number(headers['content-length'] ?? body.length);
        if (isWhole && !stream.aborted && !stream.rstCode) resolve(body);
      });
      stream.once('error', error => (failure = error));
      stream.once('close', () =>
        reject(
          signal?.aborted === true
            ? abortReason(signal)
            : new ConnectionLostError(config.server, { unhandled: false, cause: failure }),
        ),
      );
    });

  /** @param take what is wanted of the answer; run again where the connection is lost meanwhile */
  const answered = async <R>(
    request: TransportRequest,
    take: (answer: Answer) => R | Promise<R>,
  ): Promise<R> => {
    const { signal } = request;
    const pause = (ms: number): Promise<void> =>
      delay(ms, undefined, signal === undefined ? {} : { signal });
    let losses = 0;
    let postponements = 0;
    for (;;) {
      try {
        const answer = await send(request);
        const waitMs = retryAfterMs(answer);
        if (waitMs === undefined || postponements >= maxPostponements) return await take(answer);
        postponements += 1;
        answer.stream.resume();
        await pause(waitMs);
      } catch (error) {
        losses += 1;
        if (losses >= maxLosses || !canRepeat(request, error)) throw error;
        await pause(firstDelayMs * 2 ** losses * (0.5 + Math.random()));
      }
    }
  };

  return {
    request: request =>
      answered(request, async answer => ({
        status: answer.status,
        body: await bodyOf(answer, request),
      })),
    open: request => answered(request, ({ status, stream }) => ({ status, stream })),
    close: () => pool.close(),
  };
}

const canRepeat = ({ method }: TransportRequest, error: unknown): boolean =>
  error instanceof ConnectionLostError && (method === 'GET' || error.unhandled);

function retryAfterMs({ status, headers }: Answer): number | undefined {
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  return status === 429 && seconds >= 0 ? seconds * 1000 : undefined;
}

const abortReason = (signal: AbortSignal): Error =>
  signal.reason instanceof Error ? signal.reason : new Error('The request was aborted');
