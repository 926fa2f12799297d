import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { secretResource, type Secret } from '../../src/api/core/v1/secret.ts';
import { createClient } from '../../src/client/http-client.ts';
import { loadKubeconfig } from '../../src/client/kubeconfig.ts';
import { startApiOnly, type ApiOnly } from '../support/api-only.ts';
import { eventually } from '../support/eventually.ts';
import { root } from '../support/keylet.ts';
import { mustRun } from '../support/run.ts';
import { rawApi, type RawAnswer } from '../support/raw-api.ts';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';

let disk: SmallDisk;
let dataDir: string;
let api: ApiOnly;
let ask: Awaited<ReturnType<typeof rawApi>>;
beforeEach(async () => {
  disk = await mountSmallDisk(24);
  dataDir = path.join(disk.folder, 'data');
  await start();
});
afterEach(async () => {
  await api.close();
  await disk.close();
});

async function start(): Promise<void> {
  api = await startApiOnly(dataDir);
  ask = await rawApi(api.kubectl.kubeconfig);
}

const secretOf = (name: string, bytes: number): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'default' },
  type: 'Opaque',
  data: { value: Buffer.alloc(bytes, name).toString('base64') },
});
const secrets = '/api/v1/namespaces/default/secrets';
const create = (name: string, bytes = 50_000): Promise<RawAnswer> =>
  ask({ path: secrets, body: JSON.stringify(secretOf(name, bytes)) });
const get = (at: string): Promise<RawAnswer> => ask({ method: 'GET', path: at });
const valuesOf = async (): Promise<ReadonlyMap<string, string>> => {
  const items = (await get(secrets)).body['items'] as Secret[];
  return new Map(items.map(each => [each.metadata.name ?? '', each.data?.['value'] ?? '']));
};

/** Creates secrets until one is refused. */
async function createUntilRefused(acknowledged: Set<string>, prefix: string): Promise<RawAnswer> {
  for (let i = 0; ; i += 1) {
    const answer = await create(`${prefix}-${i}`);
    if (answer.code !== 201) return answer;
    acknowledged.add(`${prefix}-${i}`);
  }
}

test('a full disk refuses writes with the reason, reads and watches go on, and writes resume by themselves', async () => {
  const acknowledged = new Set(['first']);
  expect((await create('first')).code).toBe(201);
  const client = createClient(await loadKubeconfig(api.kubectl.kubeconfig));
  const seen: string[] = [];
  const stop = new AbortController();
  const watching = (async () => {
    for await (const { object } of client
      .resource(secretResource)
      .watch({ namespace: 'default', signal: stop.signal }))
      seen.push(object.metadata.name ?? '');
  })().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });

  for (const round of ['once', 'again']) {
    await disk.fill();
    const refused = await createUntilRefused(acknowledged, round);
    expect(refused.code).toBe(507);
    expect(refused.body.reason).toBe('InternalError');
    expect(refused.body.message).toBe(
      "Internal error occurred: cannot write to the store: no space left on device. Free space on the disk that holds Keylet's data folder; writes resume by themselves",
    );
    expect(refused.headers['retry-after']).toBe('1');
    // All kinds of writes are told the same.
    const patched = await ask({
      method: 'PATCH',
      path: `${secrets}/first`,
      contentType: 'application/merge-patch+json',
      body: '{"metadata":{"labels":{"a":"b"}}}',
    });
    expect(patched.code).toBe(507);
    expect((await ask({ method: 'DELETE', path: `${secrets}/first` })).code).toBe(507);

    const ready = await get('/readyz');
    expect([ready.code, ready.text]).toEqual([
      500,
      '[+]ping ok\n[+]log ok\n[-]etcd failed: no space left on device\nreadyz check failed\n',
    ]);
    expect((await get('/livez')).code).toBe(200);
    expect((await get(`${secrets}/first`)).code).toBe(200);
    expect(new Set((await valuesOf()).keys())).toEqual(acknowledged);

    await disk.empty();
    await eventually(async () => (await get('/readyz')).code === 200);
    expect((await create(`after-${round}`)).code).toBe(201);
    acknowledged.add(`after-${round}`);
    await eventually(() => seen.includes(`after-${round}`));
  }
  stop.abort();
  await watching;
  await client.close();

  await api.close();
  await start();
  const found = await valuesOf();
  expect(new Set(found.keys())).toEqual(acknowledged);
  for (const [name, value] of found) expect(value).toBe(secretOf(name, 50_000).data?.['value']);
  expect(new Set(seen)).toEqual(acknowledged);
});

test('many clients that write while the disk fills lose nothing that was acknowledged', async () => {
  const acknowledged = new Set<string>();
  const lanes = Array.from({ length: 8 }, (_, lane) =>
    createUntilRefused(acknowledged, `lane-${lane}`),
  );
  const codes = (await Promise.all(lanes)).map(({ code }) => code);
  expect(new Set(codes)).toEqual(new Set([507]));
  const found = await valuesOf();
  expect([...acknowledged].filter(name => !found.has(name))).toEqual([]);
  for (const [name, value] of found) expect(value).toBe(secretOf(name, 50_000).data?.['value']);
});

test('a new store is opened on a full disk or refused in words, never by a signal, and leaves nothing behind', async () => {
  const empty = await mountSmallDisk(4);
  try {
    const script = path.join(root, 'test/support/open-with-little-room.ts');
    const args = ['--import', 'tsx', script, empty.folder, '90'];
    const told = (await mustRun(process.execPath, args)).trim().split('\n');
    const outcomes = told.map(line => JSON.parse(line) as { error?: string; left?: string[] });
    expect(outcomes).toHaveLength(91);
    const refused = outcomes.filter(({ error }) => error !== undefined);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(outcomes.length);
    for (const { error, left } of refused) {
      expect(error).toBe(
        `Cannot open the store in ${empty.folder}/data/store: no space left on device`,
      );
      expect(left).toEqual([]);
    }
  } finally {
    await empty.close();
  }
});
