import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { conformance } from '../conformance.ts';
import { openStore } from '../open-store.ts';
import type { Store, StoreError } from '../store.ts';
import { openLmdbStore } from './lmdb-store.ts';
import { encodeRecord } from './record.ts';
import { openTables } from './tables.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'keylet-store-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const openPlain = (): Promise<Store> => openLmdbStore({ path: path.join(folder, 'store') });
const openEncrypted = (): Promise<Store> =>
  openStore({ path: path.join(folder, 'store'), keysDir: path.join(folder, 'keys') });

describe.each([
  { adapter: 'lmdb', open: openPlain },
  { adapter: 'lmdb, encrypted', open: openEncrypted },
])('$adapter', ({ open }) => {
  test.each(conformance)('$name', async ({ run }) => {
    const store = await open();
    try {
      await run(store);
    } finally {
      await store.close();
    }
  });
});

test('openLmdbStore() continues after close with what was written', async () => {
  const first = await openPlain();
  await first.put('/a', Buffer.from('1'));
  await first.close();
  const second = await openPlain();
  expect(Buffer.from((await second.get('/a')).kv?.value ?? []).toString()).toBe('1');
  expect(await second.revision()).toBe(2);
  await second.close();
});

test('openLmdbStore() refuses a folder that is open, in this process too, naming the holder', async () => {
  const first = await openPlain();
  await expect(openPlain()).rejects.toThrow(`is open in process ${process.pid}`);
  await first.close();
  await (await openPlain()).close();
});

test('history beyond the limits is forgotten by itself, and nothing else', async () => {
  const store = await openLmdbStore({
    path: path.join(folder, 'store'),
    retention: { maxRevisions: 50 },
  });
  await store.put('/kept', Buffer.from('1'));
  const isForgotten = (revision: number): Promise<boolean> =>
    store.get('/kept', revision).then(
      () => false,
      (error: StoreError) => error.code === 'compacted',
    );
  while (!(await isForgotten(10))) await store.put('/a', Buffer.from('x'));
  const newest = await store.revision();
  expect((await store.get('/kept', newest - 20)).kv?.modRevision).toBe(2);
  expect((await store.range({ prefix: '/' })).items.map(kv => kv.key)).toEqual(['/a', '/kept']);
  await store.close();
});

test('a store of the first form keeps all that it had, also what its history had forgotten', async () => {
  const at = path.join(folder, 'store');
  const root = open<unknown, string>({ path: at, maxDbs: 3 });
  const { current, commits, meta } = openTables(root);
  const commitOf = (key: string, modRevision: number, previousRevision = 0) =>
    encodeRecord({
      key,
      type: 'put',
      createRevision: previousRevision || modRevision,
      modRevision,
      previousRevision,
      value: Buffer.from(`${key}@${modRevision}`),
    });
  await root.transaction(() => {
    void current.put('/old', commitOf('/old', 2));
    void current.put('/new', commitOf('/new', 4, 3));
    for (const [revision, commit] of [
      [3, commitOf('/new', 3)],
      [4, commitOf('/new', 4, 3)],
    ] as const)
      void commits.put(revision, commit);
    void meta.put('revision', 4);
    void meta.put('compacted', 2);
  });
  await root.close();

  for (const when of ['when it is brought to the new form', 'from then on']) {
    const store = await openPlain();
    const told = async (revision?: number) =>
      (
        await store.range({
          prefix: '/',
          ...(revision === undefined ? {} : { atRevision: revision }),
        })
      ).items.map(
        ({ value, createRevision }) => `${Buffer.from(value).toString()} ${createRevision}`,
      );
    expect(await told(), when).toEqual(['/new@4 3', '/old@2 2']);
    expect(await told(3), when).toEqual(['/new@3 3', '/old@2 2']);
    await store.close();
  }
});

test('a store of a newer Keylet is not opened', async () => {
  const at = path.join(folder, 'store');
  const root = open<unknown, string>({ path: at, maxDbs: 3 });
  const { meta } = openTables(root);
  await meta.put('format', 3);
  await root.close();
  await expect(openPlain()).rejects.toMatchObject({
    code: 'corrupt',
    message: `The store in ${at} was written by a newer Keylet (its form is 3, this one knows 2): start that one`,
  });
});
