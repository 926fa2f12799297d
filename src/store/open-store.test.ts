import {
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openKeyring } from './encryption/keyring.ts';
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
    ['keys', 'keys/store.key', 'store/data.key', 'store/data.mdb', 'store/lock.mdb'].map(n =>
      stat(file(n)),
    ),
  );
  expect(modes.map(({ mode }) => (mode & 0o777).toString(8))).toEqual([
    '700',
    '600',
    '600',
    '600',
    '600',
  ]);
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

test('a watch goes on past a value that it cannot open', async () => {
  await written();
  const raw = await openLmdbStore({ path: file('store') });
  await raw.put('/b', Buffer.from('not sealed'));
  await raw.close();
  const store = await open();
  const seen: string[] = [];
  await store.watch(
    { prefix: '/', afterRevision: 2 },
    {
      onEvents(events) {
        for (const event of events) {
          seen.push(event.key);
          if (event.key !== '/b') continue;
          expect(() => event.value).toThrow(expect.objectContaining({ code: 'corrupt' }));
        }
      },
      onError: () => seen.push('error'),
    },
  );
  await store.put('/d', Buffer.from('1'));
  expect(seen).toEqual(['/b', '/d']);
  await store.close();
});

/** A store with a tree of some pages, closed; and what it says when it is opened. */
async function filled(home = folder): Promise<void> {
  const store = await openStore({
    path: path.join(home, 'store'),
    keysDir: path.join(home, 'keys'),
  });
  for (let i = 0; i < 60; i += 1)
    await store.put(`/k/${i}`, Buffer.alloc(i % 3 === 0 ? 9000 : 300, 1));
  await store.close();
}
const refusal = async (options: { acceptStore?: boolean } = {}): Promise<string> => {
  try {
    const store = await openStore({ path: file('store'), keysDir: file('keys'), ...options });
    await store.close();
    return 'opened';
  } catch (error) {
    expect(error).toMatchObject({ name: 'StoreError', code: 'corrupt' });
    return (error as Error).message;
  }
};
const dataOf = (): string => file('store/data.mdb');
async function flip(at: number): Promise<void> {
  const bytes = await readFile(dataOf());
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  await writeFile(dataOf(), bytes);
}
/** Pages of that kind which the newest state is made of, by the trees' own flags. */
async function pagesWith(flags: number): Promise<number[]> {
  const bytes = await readFile(dataOf());
  return Array.from({ length: bytes.length / 4096 }, (_, page) => page * 4096).filter(
    at => at >= 8192 && bytes.readUInt16LE(at + 18) === flags,
  );
}

describe('a damaged store is refused with one line that says what to do', () => {
  beforeEach(() => filled());
  const restore =
    'Restore the whole store folder from one backup, or move it away to start with an empty store';

  test.each([
    ['missing', () => rm(dataOf())],
    ['empty', () => truncate(dataOf(), 0)],
    ['cut off at 4096 bytes', () => truncate(dataOf(), 4096)],
  ])('its data file is %s', async (fault, damage) => {
    await damage();
    expect(await refusal()).toBe(`The store's data file ${dataOf()} is ${fault}. ${restore}`);
    expect(await refusal({ acceptStore: true })).toContain(fault);
  });

  test('its data file is cut off in the middle', async () => {
    await truncate(dataOf(), Math.floor((await stat(dataOf())).size / 2));
    expect(await refusal()).toMatch(/^The store in \S+ is damaged: .*(cut off|damaged).*backup/);
  });

  test.each([
    ['the magic number', 24],
    ['the page size', 24 + 24 + 1],
    ['the root of the tables', 24 + 24 + 48 + 40],
    ['the last page', 24 + 24 + 96 + 5],
  ])('a bit of both meta pages: %s', async (_, at) => {
    await flip(at);
    await flip(4096 + at);
    expect(await refusal()).toMatch(/^The store in \S+ is damaged: /);
  });

  test('a bit of the transaction in one meta page', async () => {
    await flip(24 + 24 + 96 + 8);
    expect(await refusal()).toMatch(/ is damaged: its meta pages do not belong together\. /);
  });

  test.each([
    ['leaves', 2],
    ['branches', 1],
  ])('a page of its trees is overwritten: %s', async (_, flags) => {
    const pages = await pagesWith(flags);
    expect(pages.length).toBeGreaterThan(0);
    const bytes = await readFile(dataOf());
    for (const at of pages) bytes.fill(0, at, at + 4096);
    await writeFile(dataOf(), bytes);
    expect(await refusal()).toMatch(/^The store in \S+ is damaged: /);
  });

  test('its record is missing or damaged, unless it is accepted as it is', async () => {
    for (const damage of [
      () => rm(file('store/record')),
      () => writeFile(file('store/record'), 'x'.repeat(100)),
    ]) {
      await damage();
      expect(await refusal()).toMatch(
        /^The store record \S+ is (missing|damaged).*--accept-store$/,
      );
      expect(await refusal({ acceptStore: true })).toBe('opened');
      expect(await refusal()).toBe('opened');
    }
  });

  test('its data file is an older copy, unless it is accepted as it is', async () => {
    const older = await readFile(dataOf());
    const store = await open();
    await store.put('/later', Buffer.from('1'));
    await store.close();
    await writeFile(dataOf(), older);
    expect(await refusal()).toBe(
      'The store holds 60 objects at revision 61, but it held 61 objects at revision 62: it is damaged, or an older copy. Restore the whole store folder from one backup, or accept the store as it is with: keylet up --accept-store',
    );
    expect(await refusal({ acceptStore: true })).toBe('opened');
    expect(await refusal()).toBe('opened');
  });

  test('its data file is empty, but sound', async () => {
    const fresh = await openLmdbStore({ path: file('fresh') });
    await fresh.close();
    await copyFile(file('fresh/data.mdb'), dataOf());
    expect(await refusal()).toMatch(/^The store is empty, but it held 60 objects at revision 61/);
  });

  test("its data file is another store's", async () => {
    await filled(file('other'));
    await copyFile(file('other/store/data.mdb'), dataOf());
    expect(await refusal()).toMatch(
      /^The store is another one than its record \S+ was written for/,
    );
  });

  test("its key is another store's", async () => {
    await filled(file('other'));
    await copyFile(file('other/keys/store.key'), file('keys/store.key'));
    expect(await refusal()).toBe(
      `The key in ${file('keys/store.key')} is not the one that this store was encrypted with`,
    );
  });
});

test('a whole folder that is restored from an older copy is opened', async () => {
  await filled();
  await cp(file('store'), file('backup'), { recursive: true });
  const store = await open();
  for (let i = 0; i < 10; i += 1) await store.put('/later', Buffer.from(String(i)));
  await store.close();
  await rm(file('store'), { recursive: true });
  await cp(file('backup'), file('store'), { recursive: true });
  expect(await refusal()).toBe('opened');
});

test('a store that an older Keylet wrote, without a record, is opened and gets one', async () => {
  const older = await openLmdbStore({ path: file('store') });
  await older.put('/a', Buffer.from('1'));
  await older.close();
  await openKeyring({ keysDir: file('keys'), sealedFile: file('store/data.key') });
  expect(await refusal()).toBe('opened');
  await rm(file('store/record'));
  expect(await refusal()).toContain('is missing');
});

test('a store that was killed before it had made its first pages is made anew', async () => {
  await mkdir(file('store'));
  await writeFile(dataOf(), Buffer.alloc(4096));
  expect(await refusal()).toBe('opened');
});
