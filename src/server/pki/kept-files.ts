import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeDurably } from '../../store/durable-file.ts';
import type { KeyPair } from './key-pair.ts';

/** Keys and certificates in a folder: read, or made and written where they are missing or unfit. */
export interface KeptFiles {
  pair(
    name: string,
    fits: (certificate: X509Certificate) => boolean,
    make: () => Promise<KeyPair>,
  ): Promise<KeyPair>;
  key(name: string, make: () => Promise<string>): Promise<string>;
}

const renewBeforeMs = 30 * 24 * 3600 * 1000;

const lasts = (certificate: X509Certificate): boolean =>
  Date.parse(certificate.validTo) - Date.now() > renewBeforeMs;

export function keptFiles(dir: string): KeptFiles {
  const file = (name: string): string => path.join(dir, name);
  const read = async (name: string): Promise<string | undefined> => {
    try {
      return await readFile(file(name), 'utf8');
    } catch (error) {
      // What cannot be read for another reason must not be overwritten.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  };
  return {
    async pair(name, fits, make) {
      const [cert, key] = await Promise.all([read(`${name}.crt`), read(`${name}.key`)]);
      const parsed = parsePair(cert, key);
      if (cert !== undefined && key !== undefined && parsed && lasts(parsed) && fits(parsed)) {
        return { cert, key };
      }
      const made = await make();
      await writeDurably(file(`${name}.key`), made.key);
      await writeDurably(file(`${name}.crt`), made.cert);
      return made;
    },
    async key(name, make) {
      const known = await read(`${name}.key`);
      if (known !== undefined && isKey(known)) return known;
      const made = await make();
      await writeDurably(file(`${name}.key`), made);
      return made;
    },
  };
}

/** The certificate, if both can be read and belong together: a crash may have come between them. */
function parsePair(cert: string | undefined, key: string | undefined): X509Certificate | undefined {
  if (cert === undefined || key === undefined) return undefined;
  try {
    const certificate = new X509Certificate(cert);
    return certificate.checkPrivateKey(createPrivateKey(key)) ? certificate : undefined;
  } catch {
    return undefined;
  }
}

function isKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).type === 'private';
  } catch {
    return false;
  }
}
