import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLmdbStore } from './lmdb/lmdb-store.ts';
import { openStore } from './open-store.ts';
import type { Store } from './store.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'keylet-store-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const file = (name: string): string => path.join(folder, name);
const open = (): Promise<Store> => openStore({ path: file('store'), keysDir: file('keys') });

async function written(): Promise<void> {
  const store = await open();
  await store.put('/a', Buffer.from('planted-value-77'));
  await store.close();
}

test('openStore() leaves no value in clear on the disk, and keys for their owner only', async () => {
  await written();
  const data = await readFile(file('store/data.mdb'));
  expect(data.includes('/a')).toBe(true);
  expect(data.includes('planted-value-77')).toBe(false);
  const modes = await Promise.all(
    ['keys', 'keys/store.key', 'store/data.key', 'store/data.mdb', 'store/lock.mdb'].map(n => stat(file(n))),
  );
  expect(modes.map(({ mode }) => (mode & 0o777).toString(8))).toEqual(['700', '600', '600', '600', '600']);
});

test('openStore() reads after a restart what was written before', async () => {
  await written();
  const store = await open();
  expect(Buffer.from((await store.get('/a')).kv?.value ?? []).toString()).toBe('planted-value-77');
  await store.close();
});

test.each(['keys/store.key', 'store/data.key'])(
  'openStore() without %s names it and what to do',
  async name => {
    await written();
    await rm(file(name));
    await expect(open()).rejects.toMatchObject({
      code: 'corrupt',
      message: `The store is encrypted and its key ${file(name)} is missing. Put the file back, or start with an empty data folder`,
    });
    // And it leaves no lock behind.
    await (await openLmdbStore({ path: file('store') })).close();
  },
);

test('openStore() refuses a key that is not the one', async () => {
  await written();
  await writeFile(file('keys/store.key'), Buffer.alloc(32));
  await expect(open()).rejects.toThrow(`${file('keys/store.key')} is not the one`);
});

test('a value that was moved to another key, or damaged, is not opened', async () => {
  await written();
  const raw = await openLmdbStore({ path: file('store') });
  const sealed = Buffer.from((await raw.get('/a')).kv?.value ?? []);
  await raw.put('/b', sealed);
  await raw.put('/c', sealed.subarray(0, 20));
  await raw.close();
  const store = await open();
  for (const key of ['/b', '/c']) {
    const { kv } = await store.get(key);
    expect(() => kv?.value).toThrow(expect.objectContaining({ code: 'corrupt' }));
  }
  await store.close();
});

test('a watch tells a value that it cannot open, and the store goes on', async () => {
  await written();
  const raw = await openLmdbStore({ path: file('store') });
  await raw.put('/b', Buffer.from('not sealed'));
  await raw.close();
  const store = await open();
  const error = await new Promise(resolve => {
    void store.watch(
      { prefix: '/', afterRevision: 2 },
      { onEvents: () => undefined, onError: resolve },
    );
  });
  expect(error).toMatchObject({ code: 'corrupt' });
  expect((await store.put('/d', Buffer.from('1'))).ok).toBe(true);
  await store.close();
});
