import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Store, StoreError, StoreEvent } from '../store.ts';
import { openLmdbStore } from './lmdb-store.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'keylet-crash-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const lanes = 8;

/**
 * A process that counts upwards in each lane's key, and tells each number once it is acknowledged.
 * Every 7th write removes the key instead. History is kept short, so that it is compacted all along.
 */
const writer = (storePath: string): string => `
  import { openLmdbStore } from ${JSON.stringify(new URL('lmdb-store.ts', import.meta.url).href)};
  const store = await openLmdbStore({
    path: ${JSON.stringify(storePath)},
    retention: { maxRevisions: 200 },
  });
  await Promise.all(Array.from({ length: ${lanes} }, async (_, lane) => {
    for (let i = 1; ; i += 1) {
      const key = '/lane/' + lane;
      await (i % 7 === 0 ? store.delete(key) : store.put(key, Buffer.from(String(i))));
      process.stdout.write(lane + ' ' + i + '\\n');
    }
  }));`;

/** Runs the writer until it has told that many bytes, kills it, and answers each lane's last number. */
async function writeUntilKilled(storePath: string, bytes: number): Promise<number[]> {
  const file = path.join(folder, 'writer.mts');
  await writeFile(file, writer(storePath));
  const child = spawn(process.execPath, ['--import', 'tsx', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let told = '';
  child.stdout.on('data', (chunk: Buffer) => {
    told += chunk.toString();
    if (told.length > bytes) child.kill('SIGKILL');
  });
  await once(child, 'close');
  const last = Array.from({ length: lanes }, () => 0);
  // What is behind the last line end may be half a line.
  for (const line of told.slice(0, told.lastIndexOf('\n')).split('\n')) {
    const [lane = 0, number = 0] = line.split(' ').map(Number);
    last[lane] = number;
  }
  return last;
}

/** Changes since the oldest revision that is kept. */
async function keptHistory(store: Store): Promise<{ oldest: number; events: StoreEvent[] }> {
  const error = await store.get('/', 1).catch((reason: unknown) => reason as StoreError);
  const oldest = 'code' in error ? (error.revision ?? 1) : 1;
  const events: StoreEvent[] = [];
  const listener = {
    onEvents: (more: readonly StoreEvent[]) => void events.push(...more),
    onError: (reason: StoreError) => {
      throw reason;
    },
  };
  (await store.watch({ prefix: '/', afterRevision: oldest }, listener)).close();
  return { oldest, events };
}

const numberOf = (value: Uint8Array | undefined): number =>
  Number(Buffer.from(value ?? []).toString());

test('a killed writer loses no acknowledged write, its history is whole, its lock is gone', async () => {
  const storePath = path.join(folder, 'store');
  const acknowledged = await writeUntilKilled(storePath, 20_000);
  const store = await openLmdbStore({ path: storePath });

  for (const [lane, last] of acknowledged.entries()) {
    const { kv } = await store.get(`/lane/${lane}`);
    // At most one write a lane was under way: it is there or not, whole.
    const possible = [last, last + 1].map(each => (each % 7 === 0 ? undefined : each));
    expect(possible).toContain(kv === undefined ? undefined : numberOf(kv.value));
  }

  const { oldest, events } = await keptHistory(store);
  expect(oldest).toBeGreaterThan(1);
  expect(events.map(event => event.revision)).toEqual(
    Array.from({ length: (await store.revision()) - oldest }, (_, i) => oldest + 1 + i),
  );
  for (const { type, key, value, previous, revision, createRevision } of events) {
    expect(previous === undefined).toBe(createRevision === revision);
    if (type === 'put' && previous !== undefined) {
      expect(numberOf(value)).toBe(numberOf(previous.value) + 1);
    }
    const before = await store.get(key, revision - 1);
    expect(numberOf(before.kv?.value)).toBe(numberOf(previous?.value));
  }
  await store.close();
});
