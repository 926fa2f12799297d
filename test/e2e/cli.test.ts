import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { leftovers, machineState } from '../../tools/demo/leftovers.ts';
import { eventually } from '../support/eventually.ts';
import { root, startKeylet } from '../support/keylet.ts';
import { processes } from '../support/machine-of.ts';
import { createKubectl } from '../support/kubectl-cli.ts';
import { secret, secretVolumePod, waitReady } from '../support/pods.ts';
import { mustRun, run } from '../support/run.ts';

const launcher = path.join(root, 'bin/keylet.js');
const cli = (...args: string[]) => run(process.execPath, [launcher, ...args]);
/** By a user who may read the clone, wherever it lies, and nothing else that is root's. */
async function asNobody(...args: string[]) {
  const folder = await mkdtemp(path.join(tmpdir(), 'keylet-nobody-'));
  await chmod(folder, 0o755);
  const clone = path.join(folder, 'clone');
  await mkdir(clone);
  await mustRun('mount', ['--bind', root, clone]);
  try {
    const node = [process.execPath, path.join(clone, 'bin/keylet.js'), ...args];
    return await run('setpriv', ['--reuid=65534', '--clear-groups', ...node]);
  } finally {
    await mustRun('umount', [clone]);
    await rm(folder, { recursive: true });
  }
}
/** Pids of those whose command line names a data folder. */
const processesOf = (dataDir: string): Promise<number[]> =>
  processes(line => line.includes(dataDir));
const hosts = ['--registry-hosts-dir', inject('registryHostsDir')];

describe('keylet', () => {
  test('--help names every command', async () => {
    const { code, stdout } = await cli('--help');
    expect(code).toBe(0);
    for (const command of ['up', 'down', 'status', 'kubeconfig', 'version']) {
      expect(stdout).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'));
    }
  });

  test.each([
    ['up --colour', "error: unknown option '--colour'"],
    ['dwn', "error: unknown command 'dwn'"],
    ['up now', "error: too many arguments for 'up'. Expected 0 arguments but got 1."],
    ['up --port=', 'expected a port number between 0 and 65535'],
    ['up --max-requests-inflight many', 'expected a whole number of requests, or 0 for no limit'],
    [
      'up --max-mutating-requests-inflight=-1',
      'expected a whole number of requests, or 0 for no limit',
    ],
    ['up --port 65536', 'expected a port number between 0 and 65535'],
    ['up --node-name A_B', "argument 'A_B' is invalid. a lowercase RFC 1123 subdomain must"],
    ['up --bind-address here', 'expected an IP address'],
    ['up --pod-cidr 10.1.2.3/24', 'expected an IPv4 network of 24 bits, such as 10.42.7.0/24'],
    ['up --pod-cidr 10.1.0.0/16', 'expected an IPv4 network of 24 bits'],
    [
      'up --registry-hosts-dir /no/such',
      "argument '/no/such' is invalid. there is no such folder.",
    ],
    ['up --data-dir=', 'expected a folder'],
    ['up --data-dir /etc/hostname', 'it is a file; expected a folder'],
    ['up --secret-ttl 5x', 'expected a duration such as 500ms, 90s or 1m30s'],
    ['up --sync-frequency 0s', 'expected a duration between 100ms and 596h'],
    ['up --sync-frequency 1000h', 'expected a duration between 100ms and 596h'],
    ['down --timeout soon', 'expected a number of seconds'],
  ])('%s: one line says what is wrong, another where to read on', async (line, message) => {
    const { code, stdout, stderr } = await cli(...line.split(' '));
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr.trim().split('\n').at(-1)).toMatch(/^\(see keylet( up| down)? --help\)$/);
    expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(3);
  });

  test.each([
    [
      ['--bind-address', '192.0.2.77'],
      '--bind-address 192.0.2.77: this machine has no such address',
    ],
    [
      ['--runtime-endpoint', '/no/such.sock'],
      'no runtime with CRI v1 answers at /no/such.sock: rpc error: code = Unavailable',
    ],
  ])('%j: a start that cannot be says why in a line, and leaves nothing', async (args, message) => {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'keylet-cannot-'));
    try {
      const { code, stderr } = await cli('up', '--data-dir', dataDir, '--port', '0', ...args);
      expect(code).toBe(1);
      expect(stderr).toContain(`keylet: ${message}`);
      expect(stderr.trim().split('\n')).toHaveLength(1);
      expect(await processesOf(dataDir)).toEqual([]);
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });

  test('without root it says what needs it, or that only root may look', async () => {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'keylet-root-'));
    try {
      expect((await asNobody('up', '--data-dir', dataDir)).stderr).toContain('needs root');
      for (const command of ['status', 'down', 'kubeconfig']) {
        expect(await asNobody(command, '--data-dir', dataDir)).toMatchObject({
          code: 1,
          stderr: `keylet: only root may look into ${dataDir}. Try again with sudo\n`,
        });
      }
    } finally {
      await rm(dataDir, { recursive: true });
    }
  });

  test('up --detach, status, a second up, kubeconfig, down', async () => {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'keylet-cli-'));
    const at = ['--data-dir', dataDir];
    try {
      const up = await cli('up', '--detach', ...at, '--port', '0');
      expect(up).toMatchObject({ code: 0, stderr: '' });
      expect(up.stdout).toMatch(/export KUBECONFIG=.*admin\.kubeconfig/);
      expect(up.stdout).toMatch(/^Ready in \d+ ms$/m);
      const second = await cli('up', ...at);
      expect(second.code).toBe(1);
      expect(second.stderr).toMatch(/one runs on .* already \(pid \d+/);
      const status = await cli('status', ...at);
      expect(status.stdout).toMatch(/^Node: .*, Ready$/m);
      const file = (await cli('kubeconfig', '--path', ...at)).stdout.trim();
      expect(await createKubectl(file)('get nodes')).toContain('Ready');
      expect((await cli('down', ...at)).stdout).toBe('Stopped\n');
      expect((await cli('status', ...at)).code).toBe(1);
      expect((await cli('down', ...at)).stdout).toBe(`No Keylet runs on ${dataDir}\n`);
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });

  test('an interrupt leaves no mount, process, netns or bridge, and keeps what was written', async () => {
    const before = await machineState();
    const dataDir = await mkdtemp(path.join(tmpdir(), 'keylet-int-'));
    try {
      const first = await startKeylet({ dataDir, args: hosts });
      await first.kubectl.apply(secret('kept', { k: 'v' }), secretVolumePod('reader', 'kept'));
      await waitReady(first.kubectl, 'reader');
      expect(await first.stop('SIGINT')).toBe(0);
      expect(leftovers(before, await machineState())).toEqual([]);

      const second = await startKeylet({ dataDir, args: hosts });
      await waitReady(second.kubectl, 'reader');
      expect(await second.kubectl.sh('reader', 'cat /etc/foo/k')).toBe('v');
      await second.stop();
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });

  test('after kill -9 the successor finds the same containers running, unharmed', async () => {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'keylet-kill-'));
    try {
      const first = await startKeylet({ dataDir, args: hosts });
      await first.kubectl.apply(secret('kept', { k: 'v' }), secretVolumePod('reader', 'kept'));
      await waitReady(first.kubectl, 'reader');
      const startedAt = await first.kubectl.sh('reader', 'stat -c %Y /proc/1');
      await first.stop('SIGKILL');

      const second = await startKeylet({ dataDir, args: hosts });
      await waitReady(second.kubectl, 'reader');
      expect(await second.kubectl.sh('reader', 'stat -c %Y /proc/1')).toBe(startedAt);
      expect(
        await second.kubectl(
          'get pod reader -o jsonpath={.status.containerStatuses[0].restartCount}',
        ),
      ).toBe('0');
      await second.kubectl.apply(secret('kept', { k: 'after' }));
      await eventually(async () =>
        expect(await second.kubectl.sh('reader', 'cat /etc/foo/k')).toBe('after'),
      );
      await second.stop();
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });

  test('no planted value is on the disk in clear', async () => {
    const value = 'planted-on-disk-51c7';
    const keylet = await startKeylet();
    await keylet.kubectl(`create secret generic s --from-literal=k=${value}`);
    const encoded = Buffer.from(value).toString('base64').replace(/=+$/, '');
    const { code } = await run('grep', ['-rqaE', `${value}|${encoded}`, keylet.dataDir]);
    expect(code).toBe(1);
    expect(keylet.output()).not.toContain(value);
    await keylet.stop();
  });

  test.each(['keys/store.key', 'store/data.key'])(
    'without %s it refuses to start, says what is missing, and makes no new one',
    async name => {
      const dataDir = await mkdtemp(path.join(tmpdir(), 'keylet-key-'));
      try {
        await (await startKeylet({ dataDir })).stop();
        const file = path.join(dataDir, name);
        await rename(file, `${file}.kept`);
        const { code, stderr } = await cli('up', '--data-dir', dataDir, '--port', '0');
        expect(code).toBe(1);
        expect(stderr).toContain(`its key ${file} is missing. Put the file back`);
        await rename(`${file}.kept`, file);
        await (await startKeylet({ dataDir })).stop();
      } finally {
        await rm(dataDir, { recursive: true, force: true });
      }
    },
  );

  test('whoever reads its output may go: it stays, and ends in good order', async () => {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'keylet-pipe-'));
    try {
      const line = `"$0" "$1" up --data-dir "$2" --port 0 | head -n 1`;
      const shell = run('sh', ['-c', line, process.execPath, launcher, dataDir], {
        timeoutMs: 120_000,
      });
      const at = ['--data-dir', dataDir];
      await eventually(async () => expect((await cli('status', ...at)).code).toBe(0));
      expect((await cli('down', ...at)).stdout).toBe('Stopped\n');
      await shell;
      expect(await processesOf(dataDir)).toEqual([]);
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });

  test('a start that fails leaves no containerd', async () => {
    const first = await startKeylet();
    const dataDir = await mkdtemp(path.join(tmpdir(), 'keylet-taken-'));
    try {
      const port = new URL(/https:\S+/.exec(first.output())?.[0] ?? '').port;
      const { code, stderr } = await cli('up', '--data-dir', dataDir, '--port', port);
      expect(code).toBe(1);
      expect(stderr).toContain(`port ${port} is in use`);
      expect(await processesOf(dataDir)).toEqual([]);
    } finally {
      await first.stop();
      await rm(dataDir, { recursive: true, force: true });
    }
  });

  test('version prints it', async () => {
    expect((await cli('version')).stdout).toMatch(/^keylet \d+\.\d+\.\d+ /);
    for (const flag of ['-V', '--version'])
      expect((await cli(flag)).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
