import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeDurably } from '../durable-file.ts';
import { StoreError } from '../store.ts';

/** The data keys that open the store's values; new values are sealed with `current`. */
export interface Keyring {
  readonly current: { readonly id: number; readonly key: Buffer };
  find(id: number): Buffer | undefined;
}

export interface KeyringOptions {
  /** Folder of the key-encryption key; 0700, the file 0600. */
  readonly keysDir: string;
  /** Where the sealed data key lies: beside what it opens. */
  readonly sealedFile: string;
  /** Whether keys may be made: false where there are values that the missing ones have sealed. Default true. */
  readonly mayMake?: boolean;
}

/**
 * Opens the keyring, or makes both keys where neither is there.
 * @throws StoreError `corrupt` when the key is missing or not the one that sealed the data key
 */
export async function openKeyring(options: KeyringOptions): Promise<Keyring> {
  const { keysDir, sealedFile, mayMake = true } = options;
  await mkdir(keysDir, { recursive: true, mode: 0o700 });
  await chmod(keysDir, 0o700);
  const keyFile = path.join(keysDir, 'store.key');
  const [wrapping, sealed] = await Promise.all([readIfThere(keyFile), readIfThere(sealedFile)]);
  if (sealed !== undefined) {
    if (wrapping === undefined) throw missing(keyFile);
    return ringOf(unwrap(wrapping, sealed, keyFile));
  }
  if (!mayMake) throw missing(sealedFile);
  const key = wrapping ?? (await make(keyFile, randomBytes(32)));
  const dataKey = randomBytes(32);
  await make(sealedFile, wrap(key, dataKey));
  return ringOf(dataKey);
}

const missing = (file: string): StoreError =>
  new StoreError(
    'corrupt',
    `The store is encrypted and its key ${file} is missing. Put the file back, or start with an empty data folder`,
  );

function ringOf(key: Buffer): Keyring {
  return { current: { id: 1, key }, find: id => (id === 1 ? key : undefined) };
}

function wrap(key: Buffer, dataKey: Buffer): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const body = Buffer.concat([cipher.update(dataKey), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]);
}

function unwrap(key: Buffer, sealed: Buffer, keyFile: string): Buffer {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12));
    decipher.setAuthTag(sealed.subarray(12, 28));
    return Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]);
  } catch (error) {
    throw new StoreError(
      'corrupt',
      `The key in ${keyFile} is not the one that this store was encrypted with`,
      { cause: error },
    );
  }
}

async function make(file: string, content: Buffer): Promise<Buffer> {
  await writeDurably(file, content);
  return content;
}

async function readIfThere(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
