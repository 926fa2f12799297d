import { statfs } from 'node:fs/promises';
import type { Logger } from '../../machinery/log.ts';
import { StoreError } from '../store.ts';
import { probeWrite, smallWriteBytes } from './write-probe.ts';

/** Whether the disk takes writes. One that fails stops all others until a probe file can be written again. */
export interface WriteOutage {
  /** Why writes are refused at present. */
  readonly reason: string | undefined;
  /** @throws StoreError `full` or `unwritable` during an outage */
  mustBeOver(): void;
  /**
   * Begins an outage.
   * @param bytes that the transaction was to write
   * @returns the error for those whose writes were in it
   */
  begin(cause: unknown, bytes: number): Promise<StoreError>;
  close(): void;
}

export interface WriteOutageOptions {
  /** Of the store. */
  readonly folder: string;
  readonly log?: Logger;
  /** What else has to succeed before the outage is over. */
  recover(): Promise<void>;
}

const probeEveryMs = 1000;

export interface Fault {
  readonly code: 'full' | 'unwritable';
  readonly words: string;
}

/** By Linux' error number. libuv does not know all of them. */
const faults: ReadonlyMap<number, Fault> = new Map([
  [5, { code: 'unwritable', words: 'input/output error' }],
  [27, { code: 'full', words: 'file too large' }],
  [28, { code: 'full', words: 'no space left on device' }],
  [30, { code: 'unwritable', words: 'read-only file system' }],
  [122, { code: 'full', words: 'disk quota exceeded' }],
  // lmdb's own MDB_MAP_FULL.
  [-30792, { code: 'full', words: 'the database has reached its maximum size' }],
]);

export function createWriteOutage({ folder, log, recover }: WriteOutageOptions): WriteOutage {
  let fault: Fault | undefined;
  let timer: NodeJS.Timeout | undefined;

  const errorOf = ({ code, words }: Fault, cause?: unknown): StoreError =>
    new StoreError(code, words, { cause });

  const retry = async (): Promise<void> => {
    try {
      await probeWrite(folder, smallWriteBytes, true);
      await recover();
    } catch (error) {
      if (timer === undefined) return;
      fault = faultOf(error);
      timer.refresh();
      return;
    }
    if (timer === undefined) return;
    timer = undefined;
    fault = undefined;
    log?.warn('The store can be written again', { folder });
  };

  return {
    get reason() {
      return fault?.words;
    },
    mustBeOver() {
      if (fault !== undefined) throw errorOf(fault);
    },
    async begin(cause, bytes) {
      // lmdb reports a short write as EIO: writing as much again fails for the true reason.
      const found = await probeWrite(folder, Math.max(bytes, smallWriteBytes), true).then(
        () => faultOf(cause),
        (error: unknown) => faultOf(error),
      );
      fault = found;
      log?.error('The store cannot be written: writes are refused until it can', {
        folder,
        error: found.words,
        ...(await freeBytes(folder)),
      });
      timer = setTimeout(() => void retry(), probeEveryMs).unref();
      return errorOf(found, cause);
    },
    close() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

async function freeBytes(folder: string): Promise<{ freeBytes?: number }> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return { freeBytes: bavail * bsize };
  } catch {
    return {};
  }
}

/** What keeps the disk from taking a write. @param error of the file system, or of lmdb */
export function diskFault(error: unknown): Fault | undefined {
  const { code, errno } = error as { code?: unknown; errno?: unknown };
  const number = typeof errno === 'number' ? -errno : code;
  return typeof number === 'number' ? faults.get(number) : undefined;
}

const faultOf = (error: unknown): Fault =>
  diskFault(error) ?? {
    code: 'unwritable',
    words: error instanceof Error ? error.message : String(error),
  };
