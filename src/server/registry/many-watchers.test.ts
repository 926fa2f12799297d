// Before what it counts.
import { countSteps } from '../../../test/support/count-steps.ts';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setMaxListeners } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { secretResource, type Secret } from '../../api/core/v1/secret.ts';
import { openLmdbStore } from '../../store/lmdb/lmdb-store.ts';
import type { Store } from '../../store/store.ts';
import { createObjectStore } from './create-object-store.ts';
import type { ObjectFilter, ObjectStore, WatchRequest, WatchSink } from './object-store.ts';

let folder: string;
let store: Store;
let objects: ObjectStore<Secret> & { close(): void };
let stop: AbortController;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'keylet-watchers-'));
  store = await openLmdbStore({ path: folder });
  objects = createObjectStore(secretResource, store);
  stop = new AbortController();
  setMaxListeners(0, stop.signal);
});
afterEach(async () => {
  stop.abort();
  objects.close();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const write = (name: string, namespace = 'default', value = '') =>
  objects.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    ...(value === '' ? {} : { data: { value } }),
  });

/** What one watcher was told. */
interface Told {
  readonly lines: string[];
  readonly errors: unknown[];
}

async function watch(request: WatchRequest, sink: Partial<WatchSink> = {}): Promise<Told> {
  const lines: string[] = [];
  const errors: unknown[] = [];
  const all: WatchSink = {
    onEvent: (type, object) => lines.push(`${type} ${object.name}`),
    onBookmark: version => lines.push(`BOOKMARK ${version}`),
    onError: error => errors.push(error),
    ...sink,
  };
  await objects.watch(request, all, stop.signal);
  return { lines, errors };
}

async function watchers(count: number, request: (i: number) => WatchRequest): Promise<Told[]> {
  const all: Told[] = [];
  for (let i = 0; i < count; i += 1) all.push(await watch(request(i)));
  return all;
}

const nextLoop = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
const told = async (all: readonly Told[], count: number): Promise<void> => {
  while (all.some(({ lines }) => lines.length < count)) await nextLoop();
};
/** Longer than a turn: nobody can be told of two changes in one. */
const slow = (): boolean => {
  const until = performance.now() + 6;
  while (performance.now() < until);
  return true;
};

test('a write costs the same, however many watch another namespace or another name', async () => {
  await watch({ client: 'someone' });
  await write('first');
  const alone = await countSteps(() => write('alone'));
  await watchers(300, i => ({ client: 'someone', namespace: `other-${i % 3}`, filter: slow }));
  await watchers(300, i => ({ client: 'someone', name: `other-${i}`, filter: slow }));
  expect(await countSteps(() => write('in-company'))).toBeLessThan(alone + 50);
});

test('watchers that share a filter have it asked once about each state', async () => {
  const asked: string[] = [];
  const filter: ObjectFilter = ({ metadata }) => {
    asked.push(metadata.name ?? '');
    return true;
  };
  const [a, b] = [
    await watchers(50, () => ({ client: 'one', filter })),
    await watchers(50, () => ({ client: 'another', filter })),
  ];
  await write('a');
  await told([...a, ...b], 1);
  expect(asked).toEqual(['a']);
});

test('watchers with slow filters hold up neither the writer nor other watchers', async () => {
  const done: string[] = [];
  await watch({}, { onEvent: () => done.push('server') });
  const greedy = await watchers(10, () => ({ client: 'greedy', filter: () => slow() }));
  await watch({ client: 'modest' }, { onEvent: () => done.push('modest') });
  await write('a').then(() => done.push('writer'));
  while (!done.includes('modest')) await nextLoop();
  // What the server decides by is never behind a writer.
  expect(done.indexOf('server')).toBeLessThan(done.indexOf('writer'));
  const alreadyTold = greedy.filter(({ lines }) => lines.length > 0);
  expect(alreadyTold.length).toBeLessThan(6);
  await told(greedy, 1);
});

test('watchers that are behind are told everything, in order and once', async () => {
  const filters = Array.from({ length: 3 }, () => () => slow());
  const behind = await watchers(3, i => ({
    client: 'behind',
    ...(filters[i] && { filter: filters[i] }),
  }));
  await Promise.all([write('a'), write('b'), write('c')]);
  const late = await watch({ client: 'behind' });
  await told([...behind, late], 3);
  for (const { lines } of [...behind, late])
    expect(lines.toSorted()).toEqual(['ADDED a', 'ADDED b', 'ADDED c']);
  expect(new Set(behind.map(({ lines }) => lines.join())).size).toBe(1);
});

test('a bookmark promises no change that was not told yet', async () => {
  await write('first');
  const behind = await watchers(4, () => ({ client: 'behind', filter: () => slow() }));
  await write('a');
  await write('b');
  const versions: number[] = [];
  const seen: number[] = [];
  await watch(
    { client: 'behind', sendInitialEvents: true, allowBookmarks: true },
    {
      onEvent: (_, { resourceVersion }) => seen.push(resourceVersion),
      onBookmark: version => versions.push(version),
    },
  );
  expect(versions).toEqual([Math.max(...seen)]);
  await told(behind, 3);
});

test('a client that falls too far behind has to list anew; others watch on', async () => {
  const large = 'A'.repeat(1024 * 1024);
  const stuck = await watchers(400, () => ({ client: 'stuck', filter: () => slow() }));
  const other = await watch({ client: 'other' });
  for (let i = 0; i < 20; i += 1) await write(`large-${i}`, 'default', large);
  await told([other], 20);
  expect(stuck.flatMap(({ errors }) => errors)).toHaveLength(400);
  expect(stuck[0]?.errors).toEqual([expect.objectContaining({ code: 410 })]);
  await write('after');
  await told([other], 21);
  expect(other.errors).toEqual([]);
});
