import { createHmac, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from '../../machinery/log.ts';
import type { AuthConfig } from '../runtime/runtime.ts';

/** Tells whether credentials are those of before, without keeping them. */
export type CredentialHash = (auth: AuthConfig) => string;

/**
 * The kubelet keeps a bare SHA-256, by which a password can be guessed from the disk; here it takes the key
 * that lies with the store's. A key that was lost is made anew: credentials are then asked for once more.
 */
export async function openCredentialHash(keysDir: string, log: Logger): Promise<CredentialHash> {
  const file = path.join(keysDir, 'image-pulls.key');
  const key = await readFile(file).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return make(file, log);
  });
  return ({ username, password }) =>
    createHmac('sha256', key).update(JSON.stringify({ username, password })).digest('hex');
}

async function make(file: string, log: Logger): Promise<Buffer> {
  const key = randomBytes(32);
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(`${file}.next`, key, { mode: 0o600 });
    await rename(`${file}.next`, file);
  } catch (error) {
    // The folder may be read-only, so that no key is changed there.
    log.warn('The key for hashes of pull credentials is not kept', {
      error: (error as Error).message,
    });
  }
  return key;
}
