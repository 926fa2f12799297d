import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { openLmdbStore } from '../src/store/lmdb/lmdb-store.ts';
import { openStore } from '../src/store/open-store.ts';
import type { Store } from '../src/store/store.ts';

/*
 * Durable creates of 1 KiB on the store alone. In the working folder, since /tmp may be in memory:
 *   npx tsx bench/store.ts [--json]
 */

export interface StoreRow {
  readonly store: 'lmdb' | 'lmdb, encrypted';
  readonly atOnce: number;
  readonly createsPerSecond: number;
}

const value = randomBytes(1024);

async function createsPerSecond(store: Store, atOnce: number, seconds: number): Promise<number> {
  let made = 0;
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  const writers = Array.from({ length: atOnce }, async (_, writer) => {
    for (let i = 0; performance.now() < endMs; i += 1) {
      const result = await store.put(`/bench/${atOnce}/${writer}/${i}`, value, 0);
      if (!result.ok) throw new Error('A create found its key taken');
      made += 1;
    }
  });
  await Promise.all(writers);
  return Math.round(made / ((performance.now() - startMs) / 1000));
}

/** @param seconds how long each row is measured */
export async function benchStore(seconds = 3): Promise<StoreRow[]> {
  const folder = await mkdtemp(path.resolve('bench-store-'));
  const rows: StoreRow[] = [];
  try {
    for (const name of ['lmdb', 'lmdb, encrypted'] as const) {
      const options = { path: path.join(folder, name) };
      const store =
        name === 'lmdb'
          ? await openLmdbStore(options)
          : await openStore({ ...options, keysDir: path.join(folder, 'keys') });
      for (const atOnce of [1, 64]) {
        rows.push({
          store: name,
          atOnce,
          createsPerSecond: await createsPerSecond(store, atOnce, seconds),
        });
      }
      await store.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return rows;
}

if (process.argv[1] === import.meta.filename) {
  const rows = await benchStore();
  if (process.argv.includes('--json')) console.log(JSON.stringify(rows, null, 2));
  else console.table(rows);
}
