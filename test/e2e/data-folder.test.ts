import { chmod, chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { leftovers, machineState } from '../../tools/demo/leftovers.ts';
import { root, startKeylet } from '../support/keylet.ts';
import { createKubectl } from '../support/kubectl-cli.ts';
import { secret, secretVolumePod, waitReady } from '../support/pods.ts';
import { run } from '../support/run.ts';

const launcher = path.join(root, 'bin/keylet.js');
const hosts = ['--registry-hosts-dir', inject('registryHostsDir')];

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(path.join(tmpdir(), 'keylet-folder-'));
});
afterEach(() => rm(parent, { recursive: true, force: true }));

/** A command that ends by itself, in the folder of the test. */
const keylet = (args: readonly string[], env: Record<string, string> = {}) =>
  run(process.execPath, [launcher, ...args], { cwd: parent, env, timeoutMs: 60_000 });
const up = (dataDir: string) => keylet(['up', '--data-dir', dataDir, '--port', '0']);

/** What `up` says when it does not start: one line. */
async function refusal(dataDir: string): Promise<string> {
  const { code, stdout, stderr } = await up(dataDir);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr.split('\n')).toHaveLength(2);
  return stderr.trim();
}

test.each([
  { what: 'spaces, quotes and brackets', name: `a 'b' "c" [d] (e) $HOME` },
  { what: 'a colon, commas, an equals sign and a semicolon', name: 'a:b,c=d;e' },
  { what: 'backslashes, a percent sign and a tilde', name: String.raw`a\b\101\\c %20 ~ #` },
  { what: 'other scripts', name: 'Größe 日本 🙂' },
  { what: 'more than 300 bytes', name: `${'x'.repeat(150)}/${'y'.repeat(150)}` },
  { what: 'a leading dash and a dot', name: '-x.y' },
])('a data folder with $what works', async ({ name }) => {
  const before = await machineState();
  const dataDir = path.join(parent, name);
  const instance = await startKeylet({ dataDir, args: hosts });
  await instance.kubectl.apply(secret('kept', { k: 'v' }), secretVolumePod('reader', 'kept'));
  await waitReady(instance.kubectl, 'reader');
  expect(await instance.kubectl.sh('reader', 'cat /etc/foo/k')).toBe('v');
  expect((await keylet(['status', '--data-dir', dataDir])).stdout).toContain('1 running');
  expect((await stat(path.join(dataDir, 'store/data.mdb'))).mode & 0o777).toBe(0o600);
  expect(await instance.stop('SIGINT')).toBe(0);
  expect(leftovers(before, await machineState())).toEqual([]);
});

test.each([
  { what: '--data-dir rel', args: ['--data-dir', 'rel'], env: {} },
  { what: 'KEYLET_DATA_DIR=rel', args: [], env: { KEYLET_DATA_DIR: 'rel' } },
])('$what is the folder where the command was given', async ({ args, env }) => {
  const started = await keylet(['up', '--detach', ...args, '--port', '0', ...hosts], env);
  expect(started).toMatchObject({ code: 0, stderr: '' });
  try {
    const kubeconfig = path.join(parent, 'rel/admin.kubeconfig');
    expect(started.stdout).toContain(`export KUBECONFIG=${kubeconfig}\n`);
    const kubectl = createKubectl(kubeconfig);
    await kubectl.apply(secret('kept', { k: 'v' }), secretVolumePod('reader', 'kept'));
    await waitReady(kubectl, 'reader');
    expect(await kubectl.sh('reader', 'cat /etc/foo/k')).toBe('v');
  } finally {
    expect((await keylet(['down', ...args], env)).stdout).toBe('Stopped\n');
  }
});

test.each([
  { what: 'a line break', name: 'a\nb', reason: 'line breaks, control characters' },
  { what: 'an escape character', name: 'a\u001b[2Jb', reason: 'line breaks, control characters' },
  {
    what: 'a part that is too long',
    name: 'x'.repeat(300),
    reason: 'cannot be made (ENAMETOOLONG)',
  },
])('a data folder with $what is refused in one line', async ({ name, reason }) => {
  expect(await refusal(path.join(parent, name))).toContain(reason);
});

test('a folder that cannot be made is refused at once', async () => {
  expect(await refusal('/proc/x')).toBe(
    'keylet: --data-dir /proc/x: the folder /proc/x cannot be made (ENOENT). Choose one on a file system that can be written to',
  );
  expect(await refusal('/sys/x/y')).toContain('the folder /sys/x cannot be made');
});

test("a folder of something else's is refused, and nobody is told to lock it", async () => {
  await writeFile(path.join(parent, 'letter.txt'), 'dear');
  await chmod(parent, 0o755);
  expect(await refusal(parent)).toBe(
    `keylet: --data-dir ${parent} holds files that are not Keylet's. Choose a folder that is empty or does not exist yet`,
  );
});

test('what others may read is refused with the command that mends it', async () => {
  const dataDir = path.join(parent, `Ann's data`);
  await (await startKeylet({ dataDir })).stop();
  const storeKey = path.join(dataDir, 'keys/store.key');
  const caKey = path.join(dataDir, 'pki/ca.key');
  await chmod(dataDir, 0o777);
  await chmod(storeKey, 0o644);
  await chmod(caKey, 0o640);
  await chown(caKey, 65_534, 65_534);
  const message = await refusal(dataDir);
  expect(message).toMatch(
    /^keylet: permissions 0777 of .* are too open: others may use what it holds\. Run: chmod 700/,
  );
  const [, command = ''] = message.split('Run: ');
  expect(command).toContain(`chown 0 '`);
  expect((await run('sh', ['-c', command])).code).toBe(0);
  await (await startKeylet({ dataDir })).stop();
});

test('with too few files it says how to get more', async () => {
  const dataDir = path.join(parent, 'few');
  const { code, stderr } = await run('sh', [
    '-c',
    'ulimit -n 64; exec "$@"',
    'sh',
    process.execPath,
    launcher,
    'up',
    '--data-dir',
    dataDir,
  ]);
  expect(code).toBe(1);
  expect(stderr).toBe(
    'keylet: this process may open 64 files, and Keylet needs 1024 or more. Raise the limit: ulimit -n 65536, or LimitNOFILE=65536 in a systemd unit\n',
  );
});
