import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { secretResource, type Secret } from '../../api/core/v1/secret.ts';
import { openLmdbStore } from '../../store/lmdb/lmdb-store.ts';
import type { Store } from '../../store/store.ts';
import { createObjectStore } from './create-object-store.ts';
import type { ObjectStore, StoredObject, WatchRequest, WatchSink } from './object-store.ts';
import { startTtl } from './ttl.ts';

let folder: string;
let store: Store;
let objects: ObjectStore<Secret> & { close(): void };
let stop: AbortController;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'keylet-watch-'));
  store = await openLmdbStore({ path: folder });
  objects = createObjectStore(secretResource, store);
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  objects.close();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const write = async (name: string, labels: Record<string, string> = {}, namespace = 'default') => {
  const metadata = { name, namespace, labels };
  const make: Secret = { apiVersion: 'v1', kind: 'Secret', metadata };
  return objects.create(make).catch(() =>
    objects.update(namespace, name, current => ({
      ...current,
      metadata: { ...current.metadata, labels },
    })),
  );
};

/** Starts a watch; `lines` is what came: type, name and version. */
async function watching(request: WatchRequest, faults: Partial<WatchSink> = {}) {
  const lines: string[] = [];
  const given: StoredObject[] = [];
  const errors: unknown[] = [];
  let wake: (() => void) | undefined;
  const line = (text: string): void => {
    lines.push(text);
    wake?.();
  };
  const sink: WatchSink = {
    onEvent(type, object) {
      given.push(object);
      line(`${type} ${object.name} ${object.object().metadata.resourceVersion}`);
    },
    onBookmark: (version, end) => line(`BOOKMARK ${version}${end ? ' end' : ''}`),
    onError: error => errors.push(error),
    ...faults,
  };
  await objects.watch(request, sink, stop.signal);
  const has = async (count: number): Promise<string[]> => {
    while (lines.length < count) await new Promise<void>(resolve => (wake = resolve));
    return lines;
  };
  return { lines, given, errors, has };
}

const isIn: NonNullable<WatchRequest['filter']> = object =>
  object.metadata.labels?.['in'] === 'yes';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const minutesBack = (minutesAgo: number): string =>
  new Date(Date.now() - minutesAgo * 60_000).toISOString();

test('watch() begins with what is there, marks its end, and goes on', async () => {
  await write('a');
  const { has } = await watching({ sendInitialEvents: true, allowBookmarks: true });
  await write('b');
  await write('a', { changed: 'yes' });
  await objects.delete('default', 'b');
  expect(await has(5)).toEqual([
    'ADDED a 2',
    'BOOKMARK 2 end',
    'ADDED b 3',
    'MODIFIED a 4',
    'DELETED b 5',
  ]);
});

test('watch() from a version sends what changed since, from memory and from the history', async () => {
  await write('a');
  await write('a', { v: '2' });
  const fromHistory = await watching({ resourceVersion: '2' });
  expect(await fromHistory.has(1)).toEqual(['MODIFIED a 3']);
  await write('b');
  const fromMemory = await watching({ resourceVersion: '3' });
  expect(await fromMemory.has(1)).toEqual(['ADDED b 4']);
});

test('watch() without initial events and version begins with the next change', async () => {
  await write('a');
  const { has } = await watching({ sendInitialEvents: false });
  await write('b');
  expect(await has(1)).toEqual(['ADDED b 3']);
});

test('watch() sends nothing twice and loses nothing while changes come in', async () => {
  const writes = (async () => {
    for (let i = 0; i < 60; i += 1) await write(`s${i}`);
  })();
  const all: { readonly has: (count: number) => Promise<string[]> }[] = [];
  for (let i = 0; i < 10; i += 1) {
    all.push(await watching({}));
    await new Promise(resolve => setImmediate(resolve));
  }
  await writes;
  for (const { has } of all) {
    const seen = (await has(60)).map(line => line.split(' ')[1]);
    expect(new Set(seen).size).toBe(60);
    expect(seen).toHaveLength(60);
  }
});

test('watch() under a filter: what enters the view is ADDED, what leaves it is DELETED as it last was', async () => {
  const { has, given } = await watching({ filter: isIn });
  await write('a', { in: 'no' });
  await write('a', { in: 'yes' });
  await write('a', { in: 'yes', more: '1' });
  await write('a', { in: 'no' });
  await write('b', { in: 'yes' });
  await objects.delete('default', 'b');
  expect(await has(5)).toEqual([
    'ADDED a 3',
    'MODIFIED a 4',
    'DELETED a 5',
    'ADDED b 6',
    'DELETED b 7',
  ]);
  expect(given[2]?.object().metadata.labels).toEqual({ in: 'yes', more: '1' });
});

test('watch() of a namespace and of a name sees no others', async () => {
  await write('a');
  await write('b');
  const ofNamespace = await watching({ namespace: 'other' });
  const ofName = await watching({ namespace: 'default', name: 'b' });
  await write('a', { v: '2' });
  await write('b', { v: '2' }, 'other');
  await write('b', { v: '2' });
  expect(await ofName.has(2)).toEqual(['ADDED b 3', 'MODIFIED b 6']);
  expect(await ofNamespace.has(1)).toEqual(['ADDED b 5']);
});

test('watchers share one object a change', async () => {
  const first = await watching({});
  const second = await watching({ namespace: 'default', name: 'a' });
  await write('a');
  await first.has(1);
  await second.has(1);
  expect(first.given[0]).toBe(second.given[0]);
});

test('a watcher that throws is dropped with its error, and the others go on', async () => {
  const bad = await watching(
    {},
    {
      onEvent() {
        throw new Error('planted');
      },
    },
  );
  const good = await watching({});
  await write('a');
  await write('b');
  expect(await good.has(2)).toHaveLength(2);
  expect(bad.errors).toHaveLength(1);
});

test('watch() from a forgotten version is 410, from a future one 504', async () => {
  await write('a');
  await write('b');
  await store.compact(3);
  await expect(watching({ resourceVersion: '2' })).rejects.toMatchObject({
    code: 410,
    reason: 'Expired',
    message: 'too old resource version: 2 (3)',
  });
  await expect(watching({ resourceVersion: '99' })).rejects.toMatchObject({
    code: 504,
    message: 'Timeout: Too large resource version: 99, current: 3',
  });
});

test('an aborted watch hears no more', async () => {
  const { lines } = await watching({});
  stop.abort();
  stop = new AbortController();
  const other = await watching({});
  await write('a');
  await other.has(1);
  expect(lines).toEqual([]);
});

test('startTtl() ends what is due, in the order of last writes, and leaves the rest', async () => {
  const make = (name: string, creationTimestamp: string): Promise<unknown> =>
    objects.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: 'default', creationTimestamp },
    });
  await make('a-new', minutesBack(1));
  await make('z-old', minutesBack(90));
  await make('y-old', minutesBack(70));
  const seen = await watching({ sendInitialEvents: false });
  const ttl = startTtl(objects, 3600, quiet);
  expect(await seen.has(2)).toEqual(['DELETED z-old 5', 'DELETED y-old 6']);
  expect((await objects.list({})).items.map(each => each.name)).toEqual(['a-new']);
  ttl.close();
});

test('a client that takes its time gets what was there in pieces, then what came meanwhile, each once', async () => {
  for (const name of ['a', 'b', 'c', 'd']) await write(name, { size: 'x'.repeat(600_000) });
  let take = (): void => undefined;
  const taken = new Promise<void>(resolve => (take = resolve));
  let ask = (): void => undefined;
  const asked = new Promise<void>(resolve => (ask = resolve));
  const room = (): Promise<void> => {
    ask();
    return taken;
  };
  const begun = watching({ allowBookmarks: true, sendInitialEvents: true }, { room });
  // Two are a piece; the others change and go while the client takes them.
  await asked;
  await write('c', { changed: 'yes' });
  await objects.delete('default', 'd');
  await write('e');
  take();
  const { lines, has } = await begun;
  await has(8);
  expect(lines.map(line => line.split(' ').slice(0, 2).join(' '))).toEqual([
    'ADDED a',
    'ADDED b',
    'ADDED c',
    'ADDED d',
    'MODIFIED c',
    'DELETED d',
    'ADDED e',
    expect.stringMatching(/^BOOKMARK/),
  ]);
});
