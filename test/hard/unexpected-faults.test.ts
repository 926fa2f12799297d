import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { root, startKeylet, type Keylet } from '../support/keylet.ts';
import { busyboxPod, waitReady } from '../support/pods.ts';
import { rawApi } from '../support/raw-api.ts';
import { serveImages } from '../support/serve-images.ts';

const preload = path.join(root, 'test/support/faults-on-signal.mjs');

let images: Awaited<ReturnType<typeof serveImages>>;
let dataDir: string;
let running: Keylet | undefined;
beforeAll(async () => {
  images = await serveImages(['busybox']);
});
afterAll(() => images.close());
beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'keylet-unexpected-'));
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  await rm(dataDir, { recursive: true, force: true });
});

async function start(fault?: string): Promise<Keylet> {
  running = await startKeylet({
    dataDir,
    args: ['--registry-hosts-dir', images.hostsDir],
    ...(fault !== undefined && { nodeArgs: ['--import', preload], env: { FAULT: fault } }),
  });
  return running;
}
const faultLines = (keylet: Keylet): string[] =>
  keylet
    .output()
    .split('\n')
    .filter(line => line.includes('Unexpected error'));

test('an error of one connection that nobody caught is logged once, and Keylet goes on', async () => {
  const keylet = await start('connection');
  const ask = await rawApi(keylet.kubeconfig);
  process.kill(keylet.pid, 'SIGUSR2');
  await eventually(async () => {
    const { text } = await ask({ method: 'GET', path: '/metrics' });
    expect(text).toContain('\nkeylet_unexpected_errors_total 1\n');
  });
  expect(faultLines(keylet)).toEqual([
    expect.stringMatching(/ error Unexpected error operation="?connection"? error=.*ECONNRESET/),
  ]);
  expect((await ask({ method: 'GET', path: '/readyz' })).code).toBe(200);
  expect(await keylet.kubectl('get nodes')).toContain('Ready');
  expect(await keylet.stop()).toBe(0);
});

test.each(['exception', 'rejection'])(
  'after any other uncaught %s Keylet ends in good order with code 1, its pods go on, and the next start takes them over',
  async fault => {
    const keylet = await start(fault);
    await keylet.kubectl.apply(busyboxPod('runner'));
    await waitReady(keylet.kubectl, 'runner');
    const container = 'get pod runner -o jsonpath={.status.containerStatuses[0].containerID}';
    const before = await keylet.kubectl(container);
    process.kill(keylet.pid, 'SIGUSR2');
    await keylet.ended;
    expect(await keylet.stop()).toBe(1);
    expect(faultLines(keylet)).toEqual([
      expect.stringMatching(/ error Unexpected error operation="?uncaught"? error=.*injected/),
    ]);
    expect(keylet.output().trim().split('\n').at(-1)).toBe(
      'keylet: stopped after an unexpected error, which the log shows; pods go on. Start it again with: keylet up',
    );
    expect(await readdir(dataDir)).not.toContain('keylet.json');

    const next = await start();
    await waitReady(next.kubectl, 'runner');
    expect(await next.kubectl(container)).toBe(before);
    expect(await next.kubectl('delete pod runner --wait=true')).toContain('deleted');
    expect(await next.stop()).toBe(0);
  },
);

test('memory that a burst of work needed is given back when there is little to do', async () => {
  const keylet = await start('garbage');
  const residentMiB = (field: 'VmRSS' | 'VmHWM'): number => {
    const status = readFileSync(`/proc/${keylet.pid}/status`, 'utf8');
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
  };
  const before = residentMiB('VmRSS');
  process.kill(keylet.pid, 'SIGUSR2');
  await eventually(() => residentMiB('VmHWM') > before + 200);
  await eventually(() => residentMiB('VmRSS') < before + 50, { timeoutMs: 60_000 });
  const ask = await rawApi(keylet.kubeconfig);
  expect((await ask({ method: 'GET', path: '/readyz' })).code).toBe(200);
});
