import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { conformance } from '../conformance.ts';
import { encryptedStore } from '../encryption/encrypted-store.ts';
import { openKeyring } from '../encryption/keyring.ts';
import type { Store } from '../store.ts';
import { openLmdbStore } from './lmdb-store.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'keylet-store-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const openPlain = (): Promise<Store> => openLmdbStore({ path: path.join(folder, 'store') });
const openEncrypted = async (): Promise<Store> => {
  const inner = await openPlain();
  const keyring = await openKeyring({
    keysDir: path.join(folder, 'keys'),
    sealedFile: path.join(folder, 'store/data.key'),
  });
  return encryptedStore(inner, keyring);
};

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

test('a killed writer loses no acknowledged write, and its lock does not outlive it', async () => {
  const script = `
    import { openLmdbStore } from ${JSON.stringify(new URL('./lmdb-store.ts', import.meta.url).href)};
    const store = await openLmdbStore({ path: ${JSON.stringify(path.join(folder, 'store'))} });
    for (let i = 0; ; i += 8) {
      await Promise.all([...Array(8).keys()].map(async j => {
        await store.put('/k/' + (i + j), Buffer.from('v'));
        process.stdout.write((i + j) + '\\n');
      }));
    }`;
  const file = path.join(folder, 'writer.mts');
  await writeFile(file, script);
  const child = spawn(process.execPath, ['--import', 'tsx', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let acknowledged = '';
  child.stdout.on('data', (chunk: Buffer) => {
    acknowledged += chunk.toString();
    if (acknowledged.length > 2000) child.kill('SIGKILL');
  });
  await once(child, 'close');
  const store = await openPlain();
  const keys = new Set((await store.range({ prefix: '/k/' })).items.map(kv => kv.key));
  const lost = acknowledged
    .split('\n')
    .slice(0, -1)
    .filter(i => !keys.has(`/k/${i}`));
  expect(lost).toEqual([]);
  expect(keys.size).toBeGreaterThan(100);
  await store.close();
});

test('encryptedStore() leaves no value in clear on the disk', async () => {
  const store = await openEncrypted();
  await store.put('/a', Buffer.from('planted-value-77'));
  await store.close();
  const file = await readFile(path.join(folder, 'store/data.mdb'));
  expect(file.includes('/a')).toBe(true);
  expect(file.includes('planted-value-77')).toBe(false);
});

test('openKeyring() refuses a wrong and a missing key, naming the file', async () => {
  await (await openEncrypted()).close();
  const keyFile = path.join(folder, 'keys/store.key');
  await writeFile(keyFile, Buffer.alloc(32));
  const options = {
    keysDir: path.join(folder, 'keys'),
    sealedFile: path.join(folder, 'store/data.key'),
  };
  await expect(openKeyring(options)).rejects.toThrow(`${keyFile} is not the one`);
  await rm(keyFile);
  await expect(openKeyring(options)).rejects.toThrow(`${keyFile} is missing`);
});
