import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { StoreError } from '../store.ts';
import type { Keyring } from './keyring.ts';

/*
 * A sealed value: version (1 byte), key id (4), nonce (12), tag (16), ciphertext. AES-256-GCM with
 * the store key as additional data, so that a value cannot be moved to another key.
 */
const version = 1;
const headerBytes = 1 + 4 + 12 + 16;

const nonceBytes = 12;
let nonces = Buffer.alloc(0);

/** Random ones are drawn many at once: the draw costs more than the bytes. */
function nextNonce(): Buffer {
  if (nonces.length === 0) nonces = randomBytes(nonceBytes * 256);
  const nonce = nonces.subarray(0, nonceBytes);
  nonces = nonces.subarray(nonceBytes);
  return nonce;
}

export function seal(keyring: Keyring, key: string, value: Uint8Array): Buffer {
  const nonce = nextNonce();
  const cipher = createCipheriv('aes-256-gcm', keyring.current.key, nonce);
  cipher.setAAD(Buffer.from(key));
  const header = Buffer.allocUnsafe(5);
  header.writeUInt8(version, 0);
  header.writeUInt32BE(keyring.current.id, 1);
  const body = [cipher.update(value), cipher.final()];
  return Buffer.concat([header, nonce, cipher.getAuthTag(), ...body]);
}

/** @throws StoreError `corrupt` */
export function unseal(keyring: Keyring, key: string, sealed: Uint8Array): Buffer {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (bytes.length < headerBytes || bytes[0] !== version) {
    throw new StoreError('corrupt', `The stored value of ${key} is not in Keylet's form`);
  }
  const id = bytes.readUInt32BE(1);
  const dataKey = keyring.find(id);
  if (dataKey === undefined) {
    throw new StoreError(
      'corrupt',
      `The stored value of ${key} needs data key ${id}, which is absent`,
    );
  }
  const decipher = createDecipheriv('aes-256-gcm', dataKey, bytes.subarray(5, 17));
  decipher.setAAD(Buffer.from(key));
  decipher.setAuthTag(bytes.subarray(17, headerBytes));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(headerBytes)), decipher.final()]);
  } catch (error) {
    throw new StoreError('corrupt', `The stored value of ${key} cannot be opened`, {
      cause: error,
    });
  }
}
