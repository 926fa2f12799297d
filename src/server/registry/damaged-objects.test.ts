import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { secretResource, type Secret } from '../../api/core/v1/secret.ts';
import type { LogFields } from '../../machinery/log.ts';
import { openLmdbStore } from '../../store/lmdb/lmdb-store.ts';
import { openStore } from '../../store/open-store.ts';
import type { Store } from '../../store/store.ts';
import { createObjectStore } from './create-object-store.ts';
import type { ObjectStore } from './object-store.ts';

let folder: string;
let store: Store;
let objects: ObjectStore<Secret> & { close(): void };
let logged: LogFields[];
const key = '/registry/core/secrets/team/broken';

const secret = (name: string): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'team', uid: `uid-of-${name}` },
});

/** Three secrets, of which the one in the middle was damaged while nobody had the store open. */
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'keylet-damaged-'));
  logged = [];
  const options = { path: path.join(folder, 'store'), keysDir: path.join(folder, 'keys') };
  const before = await openStore(options);
  const whole = createObjectStore(secretResource, before);
  for (const name of ['a', 'broken', 'c']) await whole.create(secret(name));
  whole.close();
  await before.close();
  const raw = await openLmdbStore({ path: options.path });
  const sealed = Buffer.from((await raw.get(key)).kv?.value ?? []);
  sealed[40] = (sealed[40] ?? 0) ^ 1;
  await raw.put(key, sealed);
  await raw.close();
  store = await openStore(options);
  const nothing = (): void => undefined;
  objects = createObjectStore(secretResource, store, {
    debug: nothing,
    info: nothing,
    warn: nothing,
    error: (_, fields = {}) => logged.push(fields),
  });
});
afterEach(async () => {
  objects.close();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

test('a list leaves a damaged object out, names it, and logs it once', async () => {
  for (const request of [{}, { namespace: 'team' }, { namespace: 'team', limit: 10 }]) {
    const { items, damaged } = await objects.list(request);
    expect(items.map(({ name }) => name)).toEqual(['a', 'c']);
    expect(damaged).toEqual([{ namespace: 'team', name: 'broken' }]);
  }
  expect(await objects.list({ namespace: 'team', name: 'broken' })).toMatchObject({
    items: [],
    damaged: [{ namespace: 'team', name: 'broken' }],
  });
  expect(logged.map(fields => fields['key'])).toEqual([key]);
});

test('get() and update() of a damaged object fail in the words of Kubernetes', async () => {
  const failure = {
    code: 500,
    reason: 'InternalError',
    message: `Internal error occurred: unable to transform key "${key}": its stored value is damaged or cannot be decrypted. Restore it from a backup, or delete it`,
  };
  await expect(objects.get('team', 'broken')).rejects.toMatchObject(failure);
  await expect(objects.update('team', 'broken', each => each)).rejects.toMatchObject(failure);
  await expect(objects.create(secret('broken'))).rejects.toMatchObject({ code: 409 });
});

test('watches go on past a damaged object and are told of its deletion by name', async () => {
  const seen: string[] = [];
  const stop = new AbortController();
  const sink = {
    onEvent: (type: string, { name }: { name: string }) => void seen.push(`${type} ${name}`),
    onBookmark: () => undefined,
    onError: (error: unknown) => void seen.push(String(error)),
  };
  await objects.watch({}, sink, stop.signal);
  await objects.watch({ resourceVersion: '3' }, sink, stop.signal);
  expect(seen).toEqual(['ADDED a', 'ADDED c', 'ADDED c']);
  const gone = await objects.delete('team', 'broken');
  expect(gone.object().metadata).toMatchObject({ name: 'broken', namespace: 'team' });
  await objects.create(secret('broken'));
  expect(seen.slice(3)).toEqual([
    'DELETED broken',
    'DELETED broken',
    'ADDED broken',
    'ADDED broken',
  ]);
  stop.abort();
});

test('delete() of a damaged object keeps to its preconditions', async () => {
  await expect(objects.delete('team', 'broken', { uid: 'another' })).rejects.toMatchObject({
    code: 409,
  });
  await expect(objects.delete('team', 'broken', { resourceVersion: '2' })).rejects.toMatchObject({
    code: 409,
  });
  await objects.delete('team', 'broken', { resourceVersion: '5' });
  expect((await objects.list({})).damaged).toEqual([]);
});
