import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { namespaceResource, type Namespace } from '../../api/core/v1/namespace.ts';
import { openLmdbStore } from '../../store/lmdb/lmdb-store.ts';
import type { Store } from '../../store/store.ts';
import { createObjectStore } from './create-object-store.ts';
import { followObjects } from './follow-objects.ts';
import type { ObjectStore } from './object-store.ts';

let folder: string;
let store: Store;
let objects: ObjectStore<Namespace> & { close(): void };
let stop: AbortController;
let known: Map<string, string>;
let cleared: number;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'keylet-follow-'));
  store = await openLmdbStore({ path: folder });
  objects = createObjectStore(namespaceResource, store);
  stop = new AbortController();
  known = new Map();
  cleared = 0;
});
afterEach(async () => {
  stop.abort();
  objects.close();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const namespace = (name: string): Namespace => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name },
});
const logged: string[] = [];
const note = (message: string): void => void logged.push(message);
const log = { debug: note, info: note, warn: note, error: note };
const follow = (onPut: (name: string) => void = () => undefined): Promise<void> =>
  followObjects(
    objects,
    {
      put({ metadata: { name = '', resourceVersion = '' } }) {
        onPut(name);
        known.set(name, resourceVersion);
      },
      remove: (_namespace, name) => void known.delete(name),
      clear() {
        cleared += 1;
        known.clear();
      },
    },
    { signal: stop.signal, log },
  );

test('what is there is known at once, and each write when its writer hears of it', async () => {
  await objects.create(namespace('before'));
  await follow();
  expect([...known.keys()]).toEqual(['before']);
  const made = await objects.create(namespace('a'));
  expect(known.get('a')).toBe(String(made.resourceVersion));
  const written = await objects.update('', 'a', each => ({
    ...each,
    metadata: { ...each.metadata, labels: { k: 'v' } },
  }));
  expect(known.get('a')).toBe(String(written.resourceVersion));
  await objects.delete('', 'a');
  expect([...known.keys()]).toEqual(['before']);
});

test('who followed first is told before a later watcher', async () => {
  await follow();
  const seen: boolean[] = [];
  await objects.watch(
    {},
    {
      onEvent: (_type, { name }) => void seen.push(known.has(name)),
      onBookmark: () => undefined,
      onError: () => undefined,
    },
    stop.signal,
  );
  await objects.create(namespace('a'));
  expect(seen).toEqual([true]);
});

test('a lost watch leaves nothing known, until all is told anew', async () => {
  await objects.create(namespace('kept'));
  let faults = 1;
  const again = new Promise<void>(resolve => {
    void follow(name => {
      if (name === 'bad' && faults-- > 0) throw new Error('cannot be put');
      if (name === 'bad') resolve();
    }).then(() => objects.create(namespace('bad')));
  });
  await again;
  expect(cleared).toBe(1);
  expect(logged).toContain('Objects are not known until their watch is back');
  expect(known.has('kept')).toBe(true);
  await objects.delete('', 'kept');
  expect([...known.keys()]).toEqual(['bad']);
});
