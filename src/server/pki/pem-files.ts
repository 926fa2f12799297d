import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeDurably } from '../../store/durable-file.ts';
import type { KeyPair } from './key-pair.ts';
import { PkiError } from './pki-error.ts';

/** The keys and certificates of a folder. */
export interface PemFiles {
  /** The pair of that name if it is complete and `fits` accepts it; otherwise a new one, which is written. */
  pair(
    name: string,
    fits: (certificate: X509Certificate) => boolean,
    make: () => Promise<KeyPair>,
  ): Promise<KeyPair>;
  /**
   * The private key of that name; a new one, which is written, where there is none.
   * @throws PkiError when the file holds no key
   */
  key(name: string, make: () => Promise<string>): Promise<string>;
  /** The certificate of that name, if it can be read and is the key's. */
  certificateOf(name: string, key: string): Promise<string | undefined>;
  writeCertificate(name: string, cert: string): Promise<void>;
  exists(file: string): Promise<boolean>;
}

export function openPemFiles(dir: string): PemFiles {
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
      if (cert !== undefined && key !== undefined && parsed && fits(parsed)) return { cert, key };
      const made = await make();
      await writeDurably(file(`${name}.key`), made.key);
      await writeDurably(file(`${name}.crt`), made.cert);
      return made;
    },
    async key(name, make) {
      const known = await read(`${name}.key`);
      if (known !== undefined && !isKey(known))
        throw new PkiError(
          `${file(`${name}.key`)} holds no private key. Restore it from a backup, or remove it to start with a new one: what the old one signed is then refused`,
        );
      if (known !== undefined) return known;
      const made = await make();
      await writeDurably(file(`${name}.key`), made);
      return made;
    },
    async certificateOf(name, key) {
      const cert = await read(`${name}.crt`);
      return parsePair(cert, key) === undefined ? undefined : cert;
    },
    writeCertificate: (name, cert) => writeDurably(file(`${name}.crt`), cert),
    exists: async name => (await read(name)) !== undefined,
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
