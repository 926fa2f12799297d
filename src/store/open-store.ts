import { chmod } from 'node:fs/promises';
import path from 'node:path';
import { encryptedStore } from './encryption/encrypted-store.ts';
import { openKeyring } from './encryption/keyring.ts';
import { openLmdbStore, type LmdbStoreOptions } from './lmdb/lmdb-store.ts';
import type { Store } from './store.ts';

export interface StoreOptions extends LmdbStoreOptions {
  /** Where the key lies that opens the store: another folder, so that it can be kept elsewhere. */
  readonly keysDir: string;
}

/**
 * The embedded store, encrypted at rest.
 * @throws StoreError `unavailable` when a process has it open; `corrupt` when a key is missing or wrong
 */
export async function openStore({ keysDir, ...options }: StoreOptions): Promise<Store> {
  const inner = await openLmdbStore(options);
  try {
    // lmdb makes them for everybody to read.
    for (const name of ['data.mdb', 'lock.mdb']) await chmod(path.join(options.path, name), 0o600);
    const keyring = await openKeyring({
      keysDir,
      sealedFile: path.join(options.path, 'data.key'),
      mayMake: (await inner.revision()) === 1,
    });
    return encryptedStore(inner, keyring);
  } catch (error) {
    await inner.close();
    throw error;
  }
}
