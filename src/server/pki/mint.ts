import 'reflect-metadata';
import { createPublicKey, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';
import type { KeyPair } from './key-pair.ts';
import { caValidity, certificateValidity, type Validity } from './validity.ts';

x509.cryptoProvider.set(webcrypto);

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const { subtle } = webcrypto;

/** A new P-256 key, PKCS #8 PEM. */
export async function mintKey(): Promise<string> {
  return exportKey((await newKeys()).privateKey);
}

const newKeys = () => subtle.generateKey(algorithm, true, ['sign', 'verify']);

const exportKey = async (key: webcrypto.CryptoKey): Promise<string> =>
  x509.PemConverter.encode(await subtle.exportKey('pkcs8', key), 'PRIVATE KEY');

const importPrivateKey = (pem: string): Promise<webcrypto.CryptoKey> =>
  subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(pem), algorithm, false, ['sign']);

const importPublicKey = (privatePem: string): Promise<webcrypto.CryptoKey> =>
  subtle.importKey(
    'spki',
    createPublicKey(privatePem).export({ type: 'spki', format: 'der' }),
    algorithm,
    true,
    ['verify'],
  );

/** A CA with a key of its own. */
export async function mintCa(commonName: string): Promise<KeyPair> {
  const key = await mintKey();
  return { cert: await mintCaCertificate(commonName, key, caValidity(Date.now())), key };
}

/**
 * A self-signed certificate for a CA's key. Certificates that the key signed stay good under a later one:
 * its name and key are the same.
 * @param key PKCS #8 PEM, P-256
 */
export async function mintCaCertificate(
  commonName: string,
  key: string,
  validity: Validity,
): Promise<string> {
  const keys = { privateKey: await importPrivateKey(key), publicKey: await importPublicKey(key) };
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=${commonName}`,
    ...validity,
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign |
          x509.KeyUsageFlags.cRLSign |
          x509.KeyUsageFlags.digitalSignature,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return certificate.toString('pem');
}

export interface CertificateRequest {
  readonly commonName: string;
  readonly organization?: string;
  /** DNS names and addresses. */
  readonly names: readonly string[];
  readonly usage: 'client' | 'server';
}

export async function mintCertificate(
  ca: KeyPair,
  request: CertificateRequest,
  validity: Validity = certificateValidity(new X509Certificate(ca.cert), Date.now()),
): Promise<KeyPair> {
  const keys = await newKeys();
  const issuer = new x509.X509Certificate(ca.cert);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: [
      ...(request.organization === undefined ? [] : [{ O: [request.organization] }]),
      { CN: [request.commonName] },
    ],
    issuer: issuer.subject,
    ...validity,
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: await importPrivateKey(ca.key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        request.usage === 'client'
          ? x509.ExtendedKeyUsage.clientAuth
          : x509.ExtendedKeyUsage.serverAuth,
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      ...(request.names.length === 0
        ? []
        : [
            new x509.SubjectAlternativeNameExtension(
              request.names.map(name => ({ type: isIP(name) === 0 ? 'dns' : 'ip', value: name })),
            ),
          ]),
    ],
  });
  return { cert: certificate.toString('pem'), key: await exportKey(keys.privateKey) };
}

const serial = (): string => `01${randomBytes(15).toString('hex')}`;
