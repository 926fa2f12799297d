import type { Duplex } from 'node:stream';
import type { Turn } from '../turns.ts';
import type { AnyResponse } from './listener.ts';

/** What a response was given and the connection did not take yet. */
export const bufferedBytes = (response: AnyResponse): number =>
  'stream' in response ? response.stream.writableLength : response.writableLength;

/** Ends a response in the middle, so that its reader cannot take it for whole. What waits is not sent. */
export function cutOff(response: AnyResponse): void {
  // Over HTTP/2 an error becomes a RST_STREAM that says so; without one it would look like the end.
  if ('stream' in response) response.stream.destroy(new Error('The answer was cut off'));
  else response.destroy();
}

/** A reader that takes nothing for so long is cut off. */
export const stallTimeoutMs = 30_000;

/** Resolves when the connection took what it was given, or the response is over. A reader that takes nothing is cut off. */
export const drained = (response: AnyResponse): Promise<void> =>
  new Promise(resolve => {
    const stalled = setTimeout(() => cutOff(response), stallTimeoutMs);
    const go = (): void => {
      clearTimeout(stalled);
      response.off('drain', go);
      response.off('close', go);
      resolve();
    };
    response.on('drain', go);
    response.on('close', go);
  });

/** Whether its `close` event may be over: an HTTP/2 response has no `closed`, only its stream has. */
export const isOver = (response: AnyResponse | Duplex): boolean =>
  response.closed || response.destroyed || ('stream' in response && response.stream.destroyed);

/** How much is written at once: less costs time, more costs memory with each slow reader. */
const sliceBytes = 256 * 1024;

/** Pieces of any size as slices of about one: small pieces are joined, large ones split without a copy. */
export interface Slices extends Iterable<Buffer> {
  /** Of the piece that is being split: what was not yet given out, and stays in memory until it is. */
  readonly heldBytes: number;
}

export function slicesOf(pieces: Iterable<Buffer | string>): Slices {
  let heldBytes = 0;
  function* slices(): Generator<Buffer> {
    let waiting: Buffer[] = [];
    let bytes = 0;
    for (const piece of pieces) {
      const buffer = typeof piece === 'string' ? Buffer.from(piece) : piece;
      if (buffer.length < sliceBytes) {
        waiting.push(buffer);
        bytes += buffer.length;
        if (bytes < sliceBytes) continue;
        yield Buffer.concat(waiting);
      } else {
        if (bytes > 0) yield Buffer.concat(waiting);
        for (let from = 0; from < buffer.length; from += sliceBytes) {
          heldBytes = buffer.length - from;
          yield buffer.subarray(from, from + sliceBytes);
        }
        heldBytes = 0;
      }
      waiting = [];
      bytes = 0;
    }
    if (bytes > 0) yield Buffer.concat(waiting);
  }
  return {
    [Symbol.iterator]: slices,
    get heldBytes() {
      return heldBytes;
    },
  };
}

/** Produces content in turns with everything else that the process does. */
export async function* inTurns(content: Iterable<Buffer>, turn: Turn): AsyncGenerator<Buffer> {
  const iterator = content[Symbol.iterator]();
  try {
    for (;;) {
      const waits = turn();
      if (waits !== undefined) await waits;
      const next = iterator.next();
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    iterator.return?.();
  }
}

/**
 * Writes slices as the reader takes them.
 * @param hold told after each slice how many bytes wait to be taken
 * @returns whether the response is still open
 */
export async function writeSlices(
  response: AnyResponse,
  content: AsyncIterable<Buffer>,
  hold: (bytes: number) => void,
): Promise<boolean> {
  for await (const slice of content) {
    if (isOver(response)) return false;
    const taken = (response as { write(chunk: Buffer): boolean }).write(slice);
    hold(bufferedBytes(response));
    if (!taken && !isOver(response)) await drained(response);
  }
  return !isOver(response);
}
