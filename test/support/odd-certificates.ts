import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { KeyPair } from '../../src/server/pki/pki.ts';

x509.cryptoProvider.set(webcrypto);
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const hourMs = 3600_000;

export interface OddCertificate {
  readonly commonName?: string;
  readonly organization?: string;
  /** @default any */
  readonly usages?: readonly ('client' | 'server')[];
  readonly isCa?: boolean;
  /** From now. @default -1 */
  readonly notBeforeHours?: number;
  /** From now. @default 1 */
  readonly notAfterHours?: number;
}

/** A certificate such as Keylet itself would never make, signed by the CA all the same. */
export async function oddCertificate(ca: KeyPair, odd: OddCertificate): Promise<KeyPair> {
  const { commonName, organization, usages, isCa = false } = odd;
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const signingKey = await webcrypto.subtle.importKey(
    'pkcs8',
    x509.PemConverter.decodeFirst(ca.key),
    algorithm,
    false,
    ['sign'],
  );
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: `01${randomBytes(15).toString('hex')}`,
    subject: [
      ...(organization === undefined ? [] : [{ O: [organization] }]),
      ...(commonName === undefined ? [] : [{ CN: [commonName] }]),
    ],
    issuer: new x509.X509Certificate(ca.cert).subject,
    notBefore: new Date(Date.now() + (odd.notBeforeHours ?? -1) * hourMs),
    notAfter: new Date(Date.now() + (odd.notAfterHours ?? 1) * hourMs),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(isCa, undefined, true),
      ...(usages === undefined
        ? []
        : [
            new x509.ExtendedKeyUsageExtension(
              usages.map(usage => x509.ExtendedKeyUsage[`${usage}Auth`]),
            ),
          ]),
    ],
  });
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { cert: certificate.toString('pem'), key: x509.PemConverter.encode(key, 'PRIVATE KEY') };
}
