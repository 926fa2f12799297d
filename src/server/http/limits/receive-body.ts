import { failure, requestTooLarge } from '../../../machinery/status.ts';
import { ClientGoneError } from '../client-gone-error.ts';
import type { AnyRequest } from '../listener.ts';

/** Receives the bodies of requests, each within bounds of its size and its rate. */
export interface BodyReceiver {
  /**
   * @param grow is told how much has arrived, and throws a StatusError where there is no room for it
   * @throws StatusError RequestEntityTooLarge, or Timeout for one that arrives too slowly; ClientGoneError
   */
  receive(request: AnyRequest, grow: (received: number) => void): Promise<Buffer>;
  /** Gives up bodies that are too slow. To be called from time to time. */
  sweep(): void;
}

export interface ReceiveLimits {
  readonly maxBytes: number;
  /** In each such time a body has to bring `minBytes`, or its end. */
  readonly everyMs: number;
  readonly minBytes: number;
}

export const defaultReceiveLimits: ReceiveLimits = {
  // As kube-apiserver's.
  maxBytes: 3 * 1024 * 1024,
  everyMs: 10_000,
  minBytes: 10 * 1024,
};

interface Receiving {
  bytes: number;
  /** When the rate was last looked at, and how many bytes there were then. */
  lookedAt: number;
  bytesThen: number;
  readonly giveUp: () => void;
}

export function createBodyReceiver(
  { maxBytes, everyMs, minBytes }: ReceiveLimits = defaultReceiveLimits,
  now: () => number = () => performance.now(),
): BodyReceiver {
  const underWay = new Set<Receiving>();
  return {
    receive: (request, grow) =>
      // By events: an iterator costs as much as all else that is done to read a small body.
      new Promise((resolve, reject) => {
        const chunks: Buffer[] = [];
        const fail = (error: Error): void => {
          // What still comes is discarded, so that the sender reads the answer.
          chunks.length = 0;
          underWay.delete(receiving);
          reject(error);
        };
        const receiving: Receiving = {
          bytes: 0,
          lookedAt: now(),
          bytesThen: 0,
          giveUp: () => fail(tooSlow(minBytes, everyMs)),
        };
        underWay.add(receiving);
        request.on('data', (chunk: Buffer) => {
          receiving.bytes += chunk.length;
          if (!underWay.has(receiving)) return;
          if (receiving.bytes > maxBytes) return fail(requestTooLarge(maxBytes));
          try {
            grow(receiving.bytes);
            chunks.push(chunk);
          } catch (error) {
            fail(error as Error);
          }
        });
        request.once('end', () => {
          // Over HTTP/2 a body that was cut off ends like a whole one.
          if ('stream' in request && request.stream.aborted) return fail(new ClientGoneError());
          underWay.delete(receiving);
          resolve(Buffer.concat(chunks));
        });
        request.once('error', error => fail(new ClientGoneError(error)));
        request.once('close', () => {
          if (!request.complete) fail(new ClientGoneError());
        });
      }),
    sweep() {
      const at = now();
      for (const receiving of underWay) {
        if (at - receiving.lookedAt < everyMs) continue;
        if (receiving.bytes - receiving.bytesThen < minBytes) receiving.giveUp();
        receiving.lookedAt = at;
        receiving.bytesThen = receiving.bytes;
      }
    },
  };
}

const tooSlow = (minBytes: number, everyMs: number) =>
  failure(
    408,
    'Timeout',
    `Timeout: the request's body arrives too slowly: send at least ${minBytes} bytes in ${everyMs / 1000} seconds`,
  );
