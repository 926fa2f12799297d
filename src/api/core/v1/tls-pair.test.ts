import 'reflect-metadata';
import { createPrivateKey, generateKeyPairSync, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { beforeAll, describe, expect, test } from 'vitest';
import { pemBlocks } from '../../../machinery/decode/pem.ts';
import { tlsPairError } from './tls-pair.ts';

interface Pair {
  readonly cert: string;
  readonly key: string;
}

const algorithms = {
  rsa: {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    publicExponent: new Uint8Array([1, 0, 1]),
    modulusLength: 2048,
  },
  ec: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  ed25519: { name: 'Ed25519' },
};

async function selfSigned(type: keyof typeof algorithms): Promise<Pair> {
  x509.cryptoProvider.set(webcrypto);
  const algorithm = algorithms[type];
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=test',
    signingAlgorithm: algorithm,
    keys,
  });
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    cert: `${certificate.toString('pem')}\n`,
    key: `${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`,
  };
}

describe('tlsPairError()', () => {
  let rsa: Pair;
  let ec: Pair;
  let ed25519: Pair;
  beforeAll(async () => {
    [rsa, ec, ed25519] = await Promise.all([
      selfSigned('rsa'),
      selfSigned('ec'),
      selfSigned('ed25519'),
    ]);
  });

  test('a pair is one, whatever its algorithm and the form of its key', () => {
    for (const { cert, key } of [rsa, ec, ed25519]) {
      expect(tlsPairError(cert, key)).toBeUndefined();
      expect(
        tlsPairError(`text before\n${cert}${cert}`, key.replaceAll('\n', '\r\n')),
      ).toBeUndefined();
    }
    const pkcs1 = createPrivateKey(rsa.key).export({ type: 'pkcs1', format: 'pem' }).toString();
    const sec1 = createPrivateKey(ec.key).export({ type: 'sec1', format: 'pem' }).toString();
    expect(tlsPairError(rsa.cert, pkcs1)).toBeUndefined();
    expect(tlsPairError(ec.cert, sec1)).toBeUndefined();
  });

  test('what does not belong together is told in Go’s words', async () => {
    expect(tlsPairError(ec.cert, (await selfSigned('ec')).key)).toBe(
      'tls: private key does not match public key',
    );
    expect(tlsPairError(rsa.cert, ec.key)).toBe(
      'tls: private key type does not match public key type',
    );
  });

  test('what is not there, or in the other’s place', () => {
    const cases: [string, string, string][] = [
      ['', rsa.key, 'tls: failed to find any PEM data in certificate input'],
      ['hunter2', rsa.key, 'tls: failed to find any PEM data in certificate input'],
      [
        rsa.key,
        rsa.cert,
        'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched',
      ],
      [
        `${rsa.key}${rsa.key}`,
        rsa.key,
        'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [PRIVATE KEY PRIVATE KEY]',
      ],
      [rsa.cert, '', 'tls: failed to find any PEM data in key input'],
      [
        rsa.cert,
        rsa.cert,
        'tls: found a certificate rather than a key in the PEM for the private key',
      ],
      [
        rsa.cert,
        `${rsa.cert}${rsa.cert}`,
        'tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: [CERTIFICATE CERTIFICATE]',
      ],
      [block('CERTIFICATE', 'x'), rsa.key, 'x509: malformed certificate'],
      [rsa.cert, block('RSA PRIVATE KEY', 'x'), 'tls: failed to parse private key'],
      [rsa.cert, block('ENCRYPTED PRIVATE KEY', 'x'), 'tls: failed to parse private key'],
      [
        rsa.cert,
        generateKeyPairSync('x25519')
          .privateKey.export({ type: 'pkcs8', format: 'pem' })
          .toString(),
        'tls: found unknown private key type in PKCS#8 wrapping',
      ],
    ];
    for (const [cert, key, words] of cases) expect(tlsPairError(cert, key)).toBe(words);
  });
});

const block = (type: string, content: string): string =>
  `-----BEGIN ${type}-----\n${Buffer.from(content).toString('base64')}\n-----END ${type}-----\n`;

describe('pemBlocks()', () => {
  const typesOf = (text: string): string[] => pemBlocks(text).map(({ type }) => type);
  test.each([
    ['nothing', 'text', []],
    ['two', `${block('A', 'x')}between\n${block('B', 'y')}`, ['A', 'B']],
    ['a BEGIN that has no END before one that has', `-----BEGIN A-----\n${block('B', 'y')}`, ['B']],
    ['an END of another', '-----BEGIN A-----\neA==\n-----END B-----\n', []],
    [
      'no base64, then a good one',
      `-----BEGIN A-----\n%%\n-----END A-----\n${block('B', 'y')}`,
      ['B'],
    ],
    ['headers', '-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\n\neA==\n-----END A-----', ['A']],
    ['a BEGIN within a line', `x${block('A', 'x')}`, []],
    ['spaces behind the lines', '-----BEGIN A----- \r\neA==\r\n-----END A-----  ', ['A']],
  ])('%s', (_title, text, types) => {
    expect(typesOf(text)).toEqual(types);
  });

  test('takes no longer for a text that is made to take long', () => {
    const hostile = '-----BEGIN A-----\n'.repeat(60_000) + '\n-----END B'.repeat(60_000);
    expect(typesOf(hostile)).toEqual([]);
  });
});
