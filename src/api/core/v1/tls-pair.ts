import { createPrivateKey, createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import { pemBlocks } from '../../../machinery/decode/pem.ts';

/**
 * What is wrong with a certificate and its key, in the words of Go's tls.X509KeyPair.
 * @returns undefined where they are a pair
 */
export function tlsPairError(certificatePem: string, keyPem: string): string | undefined {
  const certificates = pemBlocks(certificatePem);
  const leaf = certificates.find(({ type }) => type === 'CERTIFICATE');
  if (leaf === undefined) return noCertificate(certificates.map(({ type }) => type));
  const blocks = pemBlocks(keyPem);
  const keyBlock = blocks.find(({ type }) => /(^| )PRIVATE KEY$/.test(type));
  if (keyBlock === undefined) return noKey(blocks.map(({ type }) => type));
  const publicKey = publicKeyOf(leaf.bytes);
  if (typeof publicKey === 'string') return publicKey;
  const privateKey = privateKeyOf(keyBlock.bytes);
  if (typeof privateKey === 'string') return privateKey;
  if (privateKey.asymmetricKeyType !== publicKey.asymmetricKeyType)
    return 'tls: private key type does not match public key type';
  return createPublicKey(privateKey).equals(publicKey)
    ? undefined
    : 'tls: private key does not match public key';
}

function noCertificate(types: readonly string[]): string {
  if (types.length === 0) return 'tls: failed to find any PEM data in certificate input';
  if (types.length === 1 && types[0]?.endsWith('PRIVATE KEY') === true)
    return 'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched';
  return `tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [${types.join(' ')}]`;
}

function noKey(types: readonly string[]): string {
  if (types.length === 0) return 'tls: failed to find any PEM data in key input';
  if (types.length === 1 && types[0] === 'CERTIFICATE')
    return 'tls: found a certificate rather than a key in the PEM for the private key';
  return `tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: [${types.join(' ')}]`;
}

const tlsKeyTypes: readonly (string | undefined)[] = ['rsa', 'ec', 'ed25519'];

function publicKeyOf(certificate: Buffer): KeyObject | string {
  let key: KeyObject;
  try {
    key = new X509Certificate(certificate).publicKey;
  } catch {
    return 'x509: malformed certificate';
  }
  return tlsKeyTypes.includes(key.asymmetricKeyType) ? key : 'tls: unknown public key algorithm';
}

function privateKeyOf(der: Buffer): KeyObject | string {
  for (const type of ['pkcs1', 'pkcs8', 'sec1'] as const) {
    try {
      const key = createPrivateKey({ key: der, format: 'der', type });
      if (tlsKeyTypes.includes(key.asymmetricKeyType)) return key;
      return 'tls: found unknown private key type in PKCS#8 wrapping';
    } catch {
      // Another form, then.
    }
  }
  return 'tls: failed to parse private key';
}
