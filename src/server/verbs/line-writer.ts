import { bufferedBytes, cutOff, isOver, stallTimeoutMs } from '../http/outgoing.ts';
import type { AnyResponse } from '../http/listener.ts';

/** The lines of a watch, handed to the connection no faster than it takes them. */
export interface LineWriter {
  /** @param parts of one line. Not copied: they may be shared with other writers */
  write(parts: readonly (Buffer | string)[]): void;
  /** While much waits to be taken: resolves when it is, or the response is over. */
  room(): Promise<void> | undefined;
  /** Ends the response once all was taken. */
  end(): void;
  /** Ends it now; what waits is let go. */
  cut(): void;
}

export interface LineWriterOptions {
  readonly response: AnyResponse;
  /** A reader that is further behind is cut off. */
  readonly maxBytes: number;
  /** Told how many bytes wait to be taken. */
  hold(bytes: number): void;
  /** The reader was cut off. */
  onCut(): void;
}

/** More is not handed over at once: TLS makes a copy of it for each reader, and keeps that until it is taken. */
const sliceBytes = 64 * 1024;
/** There is room while no more than this waits. */
const enoughBytes = 128 * 1024;

export function createLineWriter({
  response,
  maxBytes,
  hold,
  onCut,
}: LineWriterOptions): LineWriter {
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let isEnding = false;
  let isDone = false;
  /** Set while the connection takes nothing more. */
  let stalled: NodeJS.Timeout | undefined;
  let wake: (() => void)[] = [];

  const unsentBytes = (): number => waitingBytes + bufferedBytes(response);
  const finish = (): void => {
    isDone = true;
    clearTimeout(stalled);
    waiting = [];
    waitingBytes = 0;
    for (const each of wake.splice(0)) each();
  };
  const cut = (): void => {
    if (isDone) return;
    finish();
    cutOff(response);
    onCut();
  };
  const onDrain = (): void => {
    clearTimeout(stalled);
    stalled = undefined;
    flush();
  };
  const hand = (bytes: Buffer): void => {
    if ((response as { write(chunk: Buffer): boolean }).write(bytes)) return;
    stalled = setTimeout(cut, stallTimeoutMs);
    response.once('drain', onDrain);
  };
  /** The first of what waits, as one piece. */
  const nextSlice = (): Buffer => {
    let count = 0;
    let bytes = 0;
    for (const each of waiting) {
      if (count > 0 && bytes + each.length > sliceBytes) break;
      count += 1;
      bytes += each.length;
    }
    const [first = Buffer.alloc(0)] = waiting;
    if (count === 1 && bytes > sliceBytes) {
      waiting[0] = first.subarray(sliceBytes);
      waitingBytes -= sliceBytes;
      return first.subarray(0, sliceBytes);
    }
    waitingBytes -= bytes;
    const parts = waiting.splice(0, count);
    return count === 1 ? first : Buffer.concat(parts, bytes);
  };
  const flush = (): void => {
    while (stalled === undefined && waiting.length > 0 && !isDone) hand(nextSlice());
    if (isDone) return;
    const bytes = unsentBytes();
    hold(bytes);
    if (isDone) return;
    if (bytes <= enoughBytes) for (const each of wake.splice(0)) each();
    if (isEnding && waiting.length === 0) {
      finish();
      response.end();
    }
  };
  response.once('close', finish);

  return {
    write(parts) {
      if (isDone || isEnding) return;
      for (const part of parts) {
        const bytes = typeof part === 'string' ? Buffer.from(part) : part;
        waiting.push(bytes);
        waitingBytes += bytes.length;
      }
      if (stalled === undefined) flush();
      else hold(unsentBytes());
      if (!isDone && unsentBytes() > maxBytes) cut();
    },
    room() {
      if (isDone || isOver(response) || unsentBytes() <= enoughBytes) return undefined;
      return new Promise(resolve => wake.push(resolve));
    },
    end() {
      if (isDone || isEnding) return;
      isEnding = true;
      flush();
    },
    cut,
  };
}
