import { chmod, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { encryptedStore } from './encryption/encrypted-store.ts';
import { openKeyring } from './encryption/keyring.ts';
import { dataFile, lockFile } from './lmdb/environment.ts';
import { metaPagesBytes } from './lmdb/file-layout.ts';
import { openLmdbStore, type LmdbStoreOptions } from './lmdb/lmdb-store.ts';
import { recordedStore } from './store-record.ts';
import { StoreError, type Store } from './store.ts';

export interface StoreOptions extends LmdbStoreOptions {
  /** Where the key lies that opens the store: another folder, so that it can be kept elsewhere. */
  readonly keysDir: string;
  /** Go on with a store that has less than its record says, or has no record. @default false */
  readonly acceptStore?: boolean;
}

/**
 * The embedded store, encrypted at rest.
 * @throws StoreError `unavailable` when a process has it open; `corrupt` when it is damaged, or a key
 *   is missing or wrong; `full` or `unwritable` when the disk does not take what opening writes
 */
export async function openStore({
  keysDir,
  acceptStore = false,
  ...options
}: StoreOptions): Promise<Store> {
  const sealedFile = path.join(options.path, 'data.key');
  await checkDataFile(path.join(options.path, dataFile), sealedFile);
  const inner = await openLmdbStore(options);
  try {
    // lmdb makes them for everybody to read.
    for (const name of [dataFile, lockFile]) await chmod(path.join(options.path, name), 0o600);
    const { revision, identity } = inner.contents();
    const keyring = await openKeyring({
      keysDir,
      sealedFile,
      mayMake: revision === 1 && identity === undefined,
    });
    return await recordedStore(encryptedStore(inner, keyring), {
      store: inner,
      keyring,
      file: path.join(options.path, 'record'),
      acceptStore,
      ...(options.log && { log: options.log }),
    });
  } catch (error) {
    await inner.close();
    throw error;
  }
}

/** The data key is made once the data file is there: without that, the data file was lost. */
async function checkDataFile(data: string, sealedKey: string): Promise<void> {
  const [bytes, keyBytes] = await Promise.all([sizeOf(data), sizeOf(sealedKey)]);
  if (bytes >= metaPagesBytes) return;
  if (keyBytes > 0) {
    const fault = bytes < 0 ? 'missing' : bytes === 0 ? 'empty' : `cut off at ${bytes} bytes`;
    throw new StoreError(
      'corrupt',
      `The store's data file ${data} is ${fault}. Restore the whole store folder from one backup, or move it away to start with an empty store`,
    );
  }
  // Killed before it had made its first pages.
  await rm(data, { force: true });
}

/** @returns -1 when there is no such file */
async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return -1;
    throw error;
  }
}
