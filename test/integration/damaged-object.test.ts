import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLmdbStore } from '../../src/store/lmdb/lmdb-store.ts';
import { startApiOnly, type ApiOnly } from '../support/api-only.ts';
import { eventually } from '../support/eventually.ts';
import { rawApi, type RawAnswer } from '../support/raw-api.ts';

let dataDir: string;
let api: ApiOnly;
let ask: Awaited<ReturnType<typeof rawApi>>;

async function start(): Promise<void> {
  api = await startApiOnly(dataDir);
  ask = await rawApi(api.kubectl.kubeconfig);
}
const secrets = '/api/v1/namespaces/team/secrets';
const get = (at: string): Promise<RawAnswer> => ask({ method: 'GET', path: at });
const namesIn = ({ body }: RawAnswer): string[] =>
  (body['items'] as { metadata: { name: string } }[]).map(each => each.metadata.name);
const leftOut =
  'secrets "team/broken" is left out: its stored value is damaged or cannot be decrypted';

/** Damages stored values while nothing runs. */
async function damage(...keys: string[]): Promise<void> {
  await api.close();
  const raw = await openLmdbStore({ path: path.join(dataDir, 'store') });
  for (const key of keys) {
    const sealed = Buffer.from((await raw.get(key)).kv?.value ?? []);
    sealed[40] = (sealed[40] ?? 0) ^ 1;
    await raw.put(key, sealed);
  }
  await raw.close();
  await start();
}

beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'keylet-damaged-'));
  await start();
  await api.kubectl('create namespace team');
  for (const name of ['broken', 'whole'])
    await api.kubectl(`create secret generic ${name} -n team --from-literal=a=b`);
});
afterEach(async () => {
  await api.close();
  await rm(dataDir, { recursive: true, force: true });
});

test('one damaged Secret is left out of lists with a warning, is a 500 by itself, and can be deleted', async () => {
  await damage('/registry/core/secrets/team/broken');
  for (const at of [secrets, '/api/v1/secrets', `${secrets}?limit=1`]) {
    const list = await get(at);
    expect([list.code, list.warnings]).toEqual([200, [leftOut]]);
    expect(namesIn(list)).not.toContain('broken');
  }
  expect(namesIn(await get(secrets))).toEqual(['whole']);
  const broken = await get(`${secrets}/broken`);
  expect([broken.code, broken.body.reason, broken.body.message]).toEqual([
    500,
    'InternalError',
    'Internal error occurred: unable to transform key "/registry/core/secrets/team/broken": its stored value is damaged or cannot be decrypted. Restore it from a backup, or delete it',
  ]);
  const dry = await ask({ method: 'DELETE', path: `${secrets}/broken?dryRun=All` });
  expect(dry.code).toBe(200);
  const deleted = await ask({ method: 'DELETE', path: `${secrets}/broken` });
  expect([deleted.code, deleted.body.status]).toEqual([200, 'Success']);
  expect(deleted.warnings).toEqual([
    'secrets "broken" was deleted at once: its stored value is damaged, so that neither its grace period nor its finalizers are known',
  ]);
  expect((await get(`${secrets}/broken`)).code).toBe(404);
  expect((await get(secrets)).warnings).toEqual([]);
});

test('a namespace with a damaged Secret can be deleted, and leaves nothing behind', async () => {
  await damage('/registry/core/secrets/team/broken');
  await api.kubectl('delete namespace team --timeout=30s');
  await api.kubectl('create namespace team');
  expect((await get(secrets)).warnings).toEqual([]);
  expect((await get(`${secrets}/broken`)).code).toBe(404);
});

test('a damaged default role is made anew when the server starts', async () => {
  const group = 'rbac.authorization.k8s.io';
  await damage(
    `/registry/${group}/clusterroles/view`,
    `/registry/${group}/clusterrolebindings/cluster-admin`,
  );
  await eventually(async () => (await get(`/apis/${group}/v1/clusterroles/view`)).code === 200);
  expect((await get(`/apis/${group}/v1/clusterrolebindings/cluster-admin`)).code).toBe(200);
});
