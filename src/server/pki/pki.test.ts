import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { kubeconfigText } from './kubeconfig.ts';
import { openPki, type KeyPair, type Pki, type PkiOptions } from './pki.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'keylet-pki-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const dayMs = 24 * 3600_000;

const open = (
  changes: Partial<Pick<PkiOptions, 'names' | 'nodeName' | 'now' | 'log'>> = {},
): Promise<Pki> =>
  openPki({
    dir: path.join(folder, 'pki'),
    names: ['localhost', '127.0.0.1', '::1', 'kubernetes.default.svc'],
    nodeName: 'node-10',
    nodeNames: ['node-10', '127.0.0.1'],
    ...changes,
  });

const decoded = (text = ''): string => Buffer.from(text, 'base64').toString();

/** What the server sees of a client over a real connection. */
async function seenByServer(pki: Pki, client: KeyPair | undefined, servername: string) {
  const { serving, ca } = pki;
  const server = createServer({ ...serving, ca, requestCert: true, rejectUnauthorized: false });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'secureConnection') as Promise<[TLSSocket]>;
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: '127.0.0.1', ca, servername, ...client });
  try {
    await once(socket, 'secureConnect');
    const [peer] = await accepted;
    const { subject } = peer.getPeerCertificate();
    return { authorized: peer.authorized, name: subject?.CN, groups: subject?.O };
  } finally {
    socket.destroy();
    server.close();
  }
}

test('each identity is accepted over TLS by its name and group, under every name of the server', async () => {
  const pki = await open();
  expect(await seenByServer(pki, pki.admin, 'localhost')).toEqual({
    authorized: true,
    name: 'kubernetes-admin',
    groups: 'system:masters',
  });
  expect(await seenByServer(pki, pki.node, 'kubernetes.default.svc')).toEqual({
    authorized: true,
    name: 'system:node:node-10',
    groups: 'system:nodes',
  });
  expect(await seenByServer(pki, pki.controllers, 'localhost')).toEqual({
    authorized: true,
    name: 'system:kube-controller-manager',
    groups: undefined,
  });
  await expect(seenByServer(pki, pki.admin, 'elsewhere.example')).rejects.toThrow(/altnames/);
  expect((await seenByServer(pki, undefined, 'localhost')).authorized).toBe(false);
});

test('a client of another CA is not authorized', async () => {
  const pki = await open();
  const other = await openPki({
    dir: path.join(folder, 'other'),
    names: [],
    nodeName: 'x',
    nodeNames: [],
  });
  expect((await seenByServer(pki, other.admin, 'localhost')).authorized).toBe(false);
});

test('issue() makes a certificate for somebody else of the same CA', async () => {
  const pki = await open();
  const second = await pki.issue({
    commonName: 'system:node:second',
    organization: 'system:nodes',
    names: [],
    usage: 'client',
  });
  expect(await seenByServer(pki, second, 'localhost')).toMatchObject({
    authorized: true,
    name: 'system:node:second',
  });
});

/** The certificates and keys of the moment. */
const contentOf = (pki: Pki) => {
  const { ca, serving, admin, controllers, node, nodeServing, kubeletClient } = pki;
  return { ca, serving, admin, controllers, node, nodeServing, kubeletClient };
};

test('openPki() keeps its files for their owner only, and uses them again', async () => {
  const first = await open();
  const files = await readdir(path.join(folder, 'pki'));
  const modes = await Promise.all(files.map(name => stat(path.join(folder, 'pki', name))));
  expect(modes.every(({ mode }) => (mode & 0o777) === 0o600)).toBe(true);
  expect((await stat(path.join(folder, 'pki'))).mode & 0o777).toBe(0o700);
  const second = await open();
  expect(contentOf(second)).toEqual(contentOf(first));
  expect(second.serviceAccountKey).toBe(first.serviceAccountKey);
});

test('openPki() renews what is for other names, and nothing else', async () => {
  const first = await open();
  const second = await open({ names: ['localhost', '10.0.0.7'] });
  expect(second.serving).not.toEqual(first.serving);
  expect(new X509Certificate(second.serving.cert).checkIP('10.0.0.7')).toBe('10.0.0.7');
  expect(second.admin).toEqual(first.admin);
  expect(second.ca).toBe(first.ca);
  // `node-1` is the beginning of `node-10`, and yet another node.
  const third = await open({ nodeName: 'node-1' });
  expect(new X509Certificate(third.node.cert).subject).toContain('CN=system:node:node-1');
  expect(new X509Certificate(third.node.cert).subject).not.toContain('node-10');
});

test.each([
  { what: 'half a certificate', file: 'admin.crt', content: '-----BEGIN CERTIFICATE-----\nMIIB' },
  { what: 'an empty key', file: 'admin.key', content: '' },
  { what: "another certificate's key", file: 'admin.key', content: undefined },
])('openPki() makes anew what a crash left as $what', async ({ file, content }) => {
  const first = await open();
  const other = await readFile(path.join(folder, 'pki/node.key'), 'utf8');
  await writeFile(path.join(folder, 'pki', file), content ?? other);
  const second = await open();
  expect(second.admin).not.toEqual(first.admin);
  expect((await seenByServer(second, second.admin, 'localhost')).authorized).toBe(true);
});

test('kubeconfigText() holds server, CA and client, and selects them', async () => {
  const pki = await open();
  const config = parse(kubeconfigText('https://127.0.0.1:6443', pki.ca, pki.admin)) as {
    clusters: { cluster: Record<string, string> }[];
    users: { user: Record<string, string> }[];
    'current-context': string;
  };
  const cluster = config.clusters[0]?.cluster;
  expect(cluster?.['server']).toBe('https://127.0.0.1:6443');
  expect(decoded(cluster?.['certificate-authority-data'])).toBe(pki.ca);
  expect(decoded(config.users[0]?.user['client-key-data'])).toBe(pki.admin.key);
  expect(config['current-context']).toBe('keylet');
});

describe('clock', () => {
  const opened = Date.now();
  /** A clock that differs from the machine's by some days. */
  const byDays = (days: number) => () => opened + days * dayMs;
  const keyOf = (cert: string): string =>
    new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'pem' }).toString();

  test.each([
    { what: 'was an hour fast when they were minted', minted: 1 / 24, now: 0 },
    { what: 'is set back by two days', minted: 0, now: -2 },
  ])('certificates go on when the clock $what', async ({ minted, now }) => {
    const first = await open({ now: byDays(minted) });
    const second = await open({ now: byDays(now) });
    expect(contentOf(second)).toEqual(contentOf(first));
    expect((await seenByServer(second, second.admin, 'localhost')).authorized).toBe(true);
  });

  test.each([
    { what: 'was a year fast', minted: 365, now: 0 },
    { what: 'was fifty years fast', minted: 50 * 365, now: 0 },
    { what: 'was at 1970', minted: -opened / dayMs, now: 0 },
    { what: 'stood still for eleven years', minted: -11 * 365, now: 0 },
  ])('a CA that is not valid because the clock $what keeps its key', async ({ minted, now }) => {
    const first = await open({ now: byDays(minted) });
    const warnings: string[] = [];
    const log = { debug() {}, info() {}, error() {}, warn: (text: string) => warnings.push(text) };
    const second = await open({ now: byDays(now), log });
    expect(second.ca).not.toBe(first.ca);
    expect(keyOf(second.ca)).toBe(keyOf(first.ca));
    expect(warnings).toEqual(['The CA certificate was renewed with the same key']);
    expect((await seenByServer(second, second.admin, 'localhost')).authorized).toBe(true);
    expect(await open({ now: byDays(now) }).then(contentOf)).toEqual(contentOf(second));
  });

  test('who holds the old CA certificate trusts what the renewed CA signs, and the other way round', async () => {
    const first = await open({ now: byDays(-8.5 * 365) });
    const handedOut = await first.issue({
      commonName: 'alice',
      names: [],
      usage: 'client',
    });
    const second = await open();
    expect(second.ca).not.toBe(first.ca);
    const old = new X509Certificate(first.ca);
    const renewed = new X509Certificate(second.ca);
    expect(new X509Certificate(second.serving.cert).checkIssued(old)).toBe(true);
    expect(new X509Certificate(handedOut.cert).checkIssued(renewed)).toBe(true);
    const trusting = { ...second, ca: first.ca, serving: second.serving };
    expect((await seenByServer(trusting, second.admin, 'localhost')).authorized).toBe(true);
  });

  test('a certificate that a fast clock gave too long a life is replaced, under the same CA', async () => {
    const first = await open();
    await open({ now: byDays(300) });
    const second = await open();
    expect(second.ca).toBe(first.ca);
    expect(second.admin).not.toEqual(first.admin);
    const endsAt = Date.parse(new X509Certificate(second.admin.cert).validTo);
    expect(endsAt).toBeLessThan(opened + 366 * dayMs);
  });

  test('renew() does nothing for nine months, and then replaces all but the CA', async () => {
    let now = opened;
    const pki = await open({ now: () => now });
    const first = contentOf(pki);
    let told = 0;
    pki.onRenewed(() => (told += 1));
    now = opened + 270 * dayMs;
    expect(await pki.renew()).toBe(false);
    expect(contentOf(pki)).toEqual(first);
    now = opened + 276 * dayMs;
    expect(await pki.renew()).toBe(true);
    expect(told).toBe(1);
    const { ca, ...renewed } = contentOf(pki);
    expect(ca).toBe(first.ca);
    for (const [name, { cert }] of Object.entries(renewed)) {
      expect(cert).not.toBe(first[name as keyof typeof renewed].cert);
      expect(Date.parse(new X509Certificate(cert).validTo)).toBeGreaterThan(now + 360 * dayMs);
    }
    expect(await open({ now: () => now }).then(contentOf)).toEqual(contentOf(pki));
  });

  test('renew() sees that the clock was set back while it runs', async () => {
    let now = opened;
    const pki = await open({ now: () => now });
    now = opened - 100 * dayMs;
    expect(await pki.renew()).toBe(true);
    expect(Date.parse(new X509Certificate(pki.ca).validFrom)).toBeLessThan(now);
    expect(Date.parse(new X509Certificate(pki.serving.cert).validFrom)).toBeLessThan(now);
    expect(await pki.renew()).toBe(false);
  });
});

test("without the CA's key it makes no other CA behind everyone's back", async () => {
  await open();
  await rm(path.join(folder, 'pki/ca.key'));
  await expect(open()).rejects.toThrow(/ca\.key is missing\. Restore it from a backup, or remove/);
});

test.each(['ca.key', 'sa.key'])('a damaged %s is reported, not replaced', async name => {
  await open();
  await writeFile(path.join(folder, 'pki', name), 'damaged');
  await expect(open()).rejects.toThrow(`${name} holds no private key. Restore it`);
});
