import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { secretResource, type Secret } from '../../src/api/core/v1/secret.ts';
import { createClient } from '../../src/client/http-client.ts';
import { loadKubeconfig } from '../../src/client/kubeconfig.ts';
import { eventually } from '../support/eventually.ts';
import { createFaultyDisk } from '../support/faulty-disk.ts';
import { root } from '../support/keylet.ts';
import { rawApi } from '../support/raw-api.ts';
import { mustRun } from '../support/run.ts';

const secrets = '/api/v1/namespaces/default/secrets';

let folder: string;
let dataDir: string;
let server: Server | undefined;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'keylet-fault-'));
  dataDir = path.join(folder, 'data');
});
afterEach(async () => {
  await server?.kill();
  server = undefined;
  await rm(folder, { recursive: true, force: true });
});

interface Server {
  readonly pid: number;
  readonly kubeconfig: string;
  isAlive(): boolean;
  kill(): Promise<void>;
}

async function start(env: Readonly<Record<string, string>> = {}): Promise<Server> {
  const script = path.join(root, 'test/support/api-only-process.ts');
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', script, dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const closed = once(child, 'close');
  const [line] = (await Promise.race([
    once(child.stdout?.setEncoding('utf8') ?? child, 'data'),
    closed.then(([code]) => {
      throw new Error(`the server ended with ${String(code)} before it was ready`);
    }),
  ])) as [string];
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    pid: child.pid ?? 0,
    kubeconfig: line.trim(),
    isAlive,
    async kill() {
      if (isAlive()) child.kill('SIGKILL');
      await closed;
    },
  };
}

/** A client that remembers which of its writes were acknowledged. */
async function createWriter(kubeconfig: string, acknowledged: Set<string>) {
  const ask = await rawApi(kubeconfig);
  return {
    get: (at: string) => ask({ method: 'GET', path: at }),
    async create(name: string) {
      const metadata = { name, namespace: 'default' };
      const data = { value: Buffer.alloc(50_000, name).toString('base64') };
      const body = JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata, data });
      const answer = await ask({ path: secrets, body });
      if (answer.code === 201) acknowledged.add(name);
      return answer;
    },
    async names(): Promise<string[]> {
      const { body } = await ask({ method: 'GET', path: secrets });
      return (body['items'] as Secret[]).map(({ metadata }) => metadata.name ?? '');
    },
  };
}

/** The names of the secrets that a watch tells of. */
async function watchNames(kubeconfig: string) {
  const client = createClient(await loadKubeconfig(kubeconfig));
  const stop = new AbortController();
  const seen = new Set<string>();
  const watching = (async () => {
    const { signal } = stop;
    const options = { namespace: 'default', signal };
    for await (const { object } of client.resource(secretResource).watch(options))
      seen.add(object.metadata.name ?? '');
  })().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  return {
    seen,
    async close() {
      stop.abort();
      await watching;
      await client.close();
    },
  };
}

interface Fault {
  readonly words: string;
  begin(): Promise<unknown>;
  end(): Promise<unknown>;
}

/** Writes are refused with the reason, reads and watches go on, and writes resume by themselves. */
async function liveThrough(running: Server, { words, begin, end }: Fault): Promise<void> {
  const acknowledged = new Set<string>();
  const writer = await createWriter(running.kubeconfig, acknowledged);
  const watch = await watchNames(running.kubeconfig);
  expect((await writer.create('first')).code).toBe(201);
  for (const round of ['once', 'again']) {
    await begin();
    for (let i = 0; i < 5; i += 1) {
      const refused = await writer.create(`refused-${round}-${i}`);
      expect([refused.code, refused.headers['retry-after']]).toEqual([507, '1']);
      expect(refused.body.message).toContain(`cannot write to the store: ${words}. `);
      expect(refused.body.message).toContain('; writes resume by themselves');
    }
    const ready = await writer.get('/readyz');
    expect([ready.code, ready.text]).toEqual([
      500,
      expect.stringContaining(`[-]etcd failed: ${words}\n`),
    ]);
    expect((await writer.get('/livez')).code).toBe(200);
    expect((await writer.get(`${secrets}/first`)).code).toBe(200);
    expect(await writer.names()).toEqual(expect.arrayContaining([...acknowledged]));

    await end();
    await eventually(async () => (await writer.get('/readyz')).code === 200);
    expect((await writer.create(`after-${round}`)).code).toBe(201);
    await eventually(() => watch.seen.has(`after-${round}`));
  }
  await watch.close();
  expect(running.isAlive()).toBe(true);

  await running.kill();
  server = await start();
  const found = await (await createWriter(server.kubeconfig, acknowledged)).names();
  expect(found).toEqual(expect.arrayContaining([...acknowledged]));
  // A write whose sync failed may be there or not; any other that was refused is not.
  expect(found.filter(name => !acknowledged.has(name) && !name.endsWith('-0'))).toEqual([]);
}

describe('the server lives through a store that cannot be written:', () => {
  test.each([
    { name: 'EIO in writes', operation: 'write', errno: 5, words: 'input/output error' },
    { name: 'EIO in syncs', operation: 'sync', errno: 5, words: 'input/output error' },
    { name: 'EROFS', operation: 'open', errno: 30, words: 'read-only file system' },
    { name: 'EDQUOT in writes', operation: 'write', errno: 122, words: 'disk quota exceeded' },
    { name: 'EDQUOT in syncs', operation: 'sync', errno: 122, words: 'disk quota exceeded' },
  ] as const)('$name', async ({ operation, errno, words }) => {
    const disk = await createFaultyDisk(path.join(dataDir, 'store'), folder);
    server = await start(disk.env);
    await liveThrough(server, {
      words,
      begin: () => disk.fail(operation, errno),
      end: () => disk.mend(),
    });
  });

  test('a limit of the size of files (ulimit -f)', async () => {
    server = await start();
    const limit = (bytes: number | string): Promise<unknown> =>
      mustRun('prlimit', ['--pid', String(server?.pid), `--fsize=${bytes}:unlimited`]);
    await liveThrough(server, {
      words: 'file too large',
      begin: async () => limit((await stat(path.join(dataDir, 'store/data.mdb'))).size),
      end: () => limit('unlimited'),
    });
  });
});

test('a file system that turned read-only after an error: reads go on, and nothing acknowledged is lost', async () => {
  const image = path.join(folder, 'image');
  const disk = path.join(folder, 'disk');
  await mkdir(disk);
  await writeFile(image, '');
  await mustRun('truncate', ['-s', '64M', image]);
  await mustRun('mkfs.ext4', ['-q', '-e', 'remount-ro', image]);
  const mount = (): Promise<unknown> => mustRun('mount', ['-o', 'loop', image, disk]);
  await mount();
  try {
    dataDir = path.join(disk, 'data');
    const acknowledged = new Set<string>();
    server = await start();
    const writer = await createWriter(server.kubeconfig, acknowledged);
    for (let i = 0; i < 20; i += 1) expect((await writer.create(`s${i}`)).code).toBe(201);
    const device = (await mustRun('findmnt', ['-no', 'SOURCE', disk])).trim();
    await writeFile(`/sys/fs/ext4/${path.basename(device)}/trigger_fs_error`, 'test');
    const refused = await writer.create('refused');
    expect([refused.code, refused.headers['retry-after']]).toEqual([507, '1']);
    expect(refused.body.message).toContain('cannot write to the store: read-only file system');
    expect((await writer.get('/readyz')).text).toContain('[-]etcd failed: read-only file system');
    expect((await writer.names()).toSorted()).toEqual([...acknowledged].toSorted());
    expect(server.isAlive()).toBe(true);

    await server.kill();
    await mustRun('umount', [disk]);
    // 1: errors were corrected.
    await mustRun('sh', ['-c', `e2fsck -fy ${image} >&2; [ $? -le 1 ]`]);
    await mount();
    server = await start();
    const again = await createWriter(server.kubeconfig, acknowledged);
    expect((await again.create('after')).code).toBe(201);
    expect((await again.names()).toSorted()).toEqual([...acknowledged].toSorted());
  } finally {
    await server?.kill();
    await mustRun('umount', [disk]);
  }
});
