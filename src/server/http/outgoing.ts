import { setImmediate as nextTurn } from 'node:timers/promises';
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
const stallTimeoutMs = 30_000;

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

export const isOver = (response: AnyResponse): boolean =>
  response.closed || response.destroyed || ('stream' in response && response.stream.destroyed);

/** How much is written at once: less costs time, more costs memory with each slow reader. */
const sliceBytes = 64 * 1024;
/** How long one response may work before others have their turn. */
const turnMs = 5;

/** Joins small pieces and splits large ones, without copying those. */
export function* slices(pieces: Iterable<Buffer | string>): Generator<Buffer> {
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
      for (let from = 0; from < buffer.length; from += sliceBytes)
        yield buffer.subarray(from, from + sliceBytes);
    }
    waiting = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(waiting);
}

/**
 * Writes slices as the reader takes them, and lets others have their turn in between.
 * @param hold told after each slice how many bytes wait to be taken
 * @returns whether the response is still open
 */
export async function writeSlices(
  response: AnyResponse,
  content: Iterable<Buffer> | AsyncIterable<Buffer>,
  hold: (buffered: number, sliceBytes: number) => void,
): Promise<boolean> {
  let turnEndsAt = performance.now() + turnMs;
  for await (const slice of content) {
    if (isOver(response)) return false;
    const taken = (response as { write(chunk: Buffer): boolean }).write(slice);
    hold(bufferedBytes(response), slice.length);
    if (!taken && !isOver(response)) await drained(response);
    if (performance.now() < turnEndsAt) continue;
    await nextTurn();
    turnEndsAt = performance.now() + turnMs;
  }
  return !isOver(response);
}
