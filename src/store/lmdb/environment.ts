import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { bringToFormat } from './format.ts';
import { newestOf, openTables, type Tables } from './tables.ts';
import { probeWrite, smallWriteBytes } from './write-probe.ts';

export const dataFile = 'data.mdb';
export const lockFile = 'lock.mdb';

export interface Environment {
  readonly root: RootDatabase<unknown, string>;
  readonly tables: Tables;
}

/** More than lmdb makes it, so that it takes the file as it is. */
const lockFileBytes = 16 * 1024;

/** @throws StoreError `corrupt` when a newer Keylet wrote it; what the file system and lmdb throw */
export async function openEnvironment(folder: string): Promise<Environment> {
  // lmdb itself ends in a segmentation fault where it cannot write its first pages.
  await probeWrite(folder, smallWriteBytes, false);
  // lmdb maps this file and writes to the map: where a full disk had left holes, that is a SIGBUS.
  await writeFile(path.join(folder, lockFile), Buffer.alloc(lockFileBytes), { mode: 0o600 });
  const root = open<unknown, string>({
    path: folder,
    // The promise of a write then resolves when it is on disk.
    overlappingSync: false,
    // The write queue groups writes; lmdb's own grouping makes a promise that nobody can catch.
    eventTurnBatching: false,
    maxDbs: 3,
    noMemInit: true,
  });
  try {
    const tables = openTables(root);
    await transact(root, () => bringToFormat(tables, folder));
    return { root, tables };
  } catch (error) {
    await root.close();
    throw error;
  }
}

/** Whether lmdb still takes transactions: after a fault in writing a meta page it refuses even reads. */
export function isReadable({ root, tables }: Environment): boolean {
  try {
    root.resetReadTxn();
    newestOf(tables);
    return true;
  } catch {
    return false;
  }
}

/** Runs `work` in a transaction. @throws the reason when that cannot be committed */
export async function transact(root: RootDatabase<unknown, string>, work: () => void) {
  try {
    await root.transaction(work);
  } catch (error) {
    const { commitError } = error as { commitError?: Promise<unknown> };
    throw commitError === undefined ? error : await commitError.catch((reason: unknown) => reason);
  }
}
