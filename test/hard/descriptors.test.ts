import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { root, startKeylet } from '../support/keylet.ts';
import { createKubectl } from '../support/kubectl-cli.ts';
import { rawApi } from '../support/raw-api.ts';

const sockets: Socket[] = [];
const endFlood = (): void => {
  for (const socket of sockets.splice(0)) socket.destroy();
};
afterEach(endFlood);

const portOf = async (kubeconfig: string): Promise<number> =>
  Number(/127\.0\.0\.1:(\d+)/.exec(await readFile(kubeconfig, 'utf8'))?.[1]);

/** Connections that send nothing. Resolves when each was made, or refused. */
async function flood(port: number, count: number): Promise<void> {
  await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<void>(resolve => {
          const socket = connect(port, '127.0.0.1');
          socket.on('error', () => resolve());
          socket.on('connect', () => resolve());
          sockets.push(socket);
        }),
    ),
  );
}

const countOf = (text: string, line: string): number => text.split(line).length - 1;

test('a server that has no descriptors left lives, says so once, and answers again when the flood ends', async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'keylet-descriptors-'));
  const script = path.join(root, 'test/support/api-only-process.ts');
  const node = [process.execPath, '--import', 'tsx', script, dataDir];
  const child = spawn('prlimit', ['--nofile=256:256', ...node], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  try {
    const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
    const kubeconfig = line.trim();
    await flood(await portOf(kubeconfig), 400);
    await eventually(() => log.includes('No file descriptors left'));
    endFlood();
    const kubectl = createKubectl(kubeconfig);
    await eventually(async () => (await kubectl('get namespaces').catch(() => '')) !== '');
    expect([child.exitCode, child.signalCode]).toEqual([null, null]);
    expect(countOf(log, 'No file descriptors left')).toBe(1);
  } finally {
    child.kill('SIGKILL');
    await closed;
    await rm(dataDir, { recursive: true, force: true });
  }
});

test('keylet up with the fewest descriptors it starts with serves its administrator during a flood', async () => {
  const keylet = await startKeylet({ maxOpenFiles: 1024 });
  try {
    const ask = await rawApi(keylet.kubeconfig);
    const port = await portOf(keylet.kubeconfig);
    const namespaces = async (): Promise<number> =>
      (await ask({ method: 'GET', path: '/api/v1/namespaces' })).code;
    for (let round = 0; round < 3; round += 1) {
      await flood(port, 1500);
      expect(await namespaces()).toBe(200);
    }
    expect(await keylet.kubectl('get nodes')).toContain('Ready');
    endFlood();
    expect(await namespaces()).toBe(200);
    expect(countOf(keylet.output(), 'Too many connections: idle ones are closed')).toBe(1);
  } finally {
    await keylet.stop();
  }
});
