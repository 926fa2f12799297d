import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { loadKubeconfig } from '../../src/client/kubeconfig.ts';
import { eventually } from '../support/eventually.ts';
import { root, startKeylet, type Keylet } from '../support/keylet.ts';
import { ensurePackages } from '../support/packages.ts';
import { secret, secretVolumePod, waitReady } from '../support/pods.ts';
import { run } from '../support/run.ts';
import { serveImages } from '../support/serve-images.ts';

const launcher = path.join(root, 'bin/keylet.js');
/** Certificates are looked at once a minute. */
const renewed = { timeoutMs: 120_000, everyMs: 1000 };

let images: Awaited<ReturnType<typeof serveImages>>;
let folder: string;
let dataDir: string;
let running: Keylet | undefined;

beforeAll(async () => {
  await ensurePackages(undefined, ['faketime']);
  images = await serveImages(['busybox']);
});
afterAll(() => images.close());
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'keylet-clock-'));
  dataDir = path.join(folder, 'data');
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  await rm(folder, { recursive: true, force: true });
});

/** What makes a program see another time: libfaketime reads the offset from a file, each time anew. */
const clockFile = (): string => path.join(folder, 'clock');
const setClock = (offset: string): Promise<void> => writeFile(clockFile(), `${offset}\n`);
const withClock = (): Record<string, string> => ({
  LD_PRELOAD: '/usr/$LIB/faketime/libfaketime.so.1',
  FAKETIME_TIMESTAMP_FILE: clockFile(),
  FAKETIME_NO_CACHE: '1',
  FAKETIME_DONT_FAKE_MONOTONIC: '1',
});

async function start(offset: string): Promise<Keylet> {
  await setClock(offset);
  running = await startKeylet({
    dataDir,
    args: ['--registry-hosts-dir', images.hostsDir],
    env: withClock(),
  });
  return running;
}
async function stop(): Promise<void> {
  expect(await running?.stop()).toBe(0);
  running = undefined;
}
const status = () =>
  run(process.execPath, [launcher, 'status', '--data-dir', dataDir], { env: withClock() });

/** The serial number of what a new connection to the API is shown. */
async function servedSerial({ kubeconfig }: Keylet): Promise<string> {
  const { server, certificateAuthority } = await loadKubeconfig(kubeconfig);
  const { hostname: host, port } = new URL(server);
  // By this test's clock it may not be valid: that is another question.
  const socket = connect({
    host,
    port: Number(port),
    ca: certificateAuthority ?? '',
    rejectUnauthorized: false,
  });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerX509Certificate()?.serialNumber ?? '';
  } finally {
    socket.destroy();
  }
}

const caCertificate = async (): Promise<X509Certificate> =>
  new X509Certificate(await readFile(path.join(dataDir, 'pki/ca.crt')));

async function podRuns({ kubectl }: Keylet, name: string): Promise<void> {
  await kubectl.apply(secret(name, { k: name }), secretVolumePod(name, name));
  await waitReady(kubectl, name);
  expect(await kubectl.sh(name, 'cat /etc/foo/k')).toBe(name);
}

test.each([
  { what: 'was fast by 400 days when it was set up', first: '+400d', later: '+0' },
  { what: 'is set back by two days', first: '+0', later: '-2d' },
  { what: 'comes back after 400 days', first: '-400d', later: '+0' },
])('Keylet starts on a machine whose clock $what', async ({ first, later }) => {
  await start(first);
  expect((await status()).stdout).toMatch(/^Node: .*, Ready$/m);
  await stop();
  const keylet = await start(later);
  expect((await status()).stdout).toMatch(/^Node: .*, Ready$/m);
  await podRuns(keylet, 'reader');
  expect(keylet.output()).not.toMatch(/Error|ERR_/);
  await stop();
});

test('a running Keylet renews its certificates whatever becomes of the clock, and connections go on', async () => {
  const keylet = await start('+0');
  const { kubectl } = keylet;
  const key = (await caCertificate()).publicKey.export({ type: 'spki', format: 'pem' });
  await podRuns(keylet, 'before');
  const watch = spawn(
    'kubectl',
    ['--kubeconfig', keylet.kubeconfig, 'get', 'secrets', '--watch-only', '-o', 'name'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let seen = '';
  watch.stdout.setEncoding('utf8').on('data', (text: string) => (seen += text));
  try {
    for (const offset of ['+300d', '+700d', '-100d']) {
      const before = await servedSerial(keylet);
      await setClock(offset);
      await eventually(async () => expect(await servedSerial(keylet)).not.toBe(before), renewed);
      const name = `at${offset.replace('+', '').replace('-', 'minus')}`;
      await podRuns(keylet, name);
      expect(await kubectl(`logs ${name}`)).toBeDefined();
    }
    await eventually(() => expect(seen).toContain('secret/atminus100d'));
  } finally {
    watch.kill();
  }
  expect((await caCertificate()).publicKey.export({ type: 'spki', format: 'pem' })).toBe(key);
  expect(keylet.output()).not.toMatch(/Error|ERR_/);
  await stop();
}, 600_000);
