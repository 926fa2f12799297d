import { createHash, type KeyObject } from 'node:crypto';

/** As Kubernetes names a key that signs tokens: the SHA-256 of its SPKI, base64url. */
export const keyIdOf = (publicKey: KeyObject): string =>
  createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
