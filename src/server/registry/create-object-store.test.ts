import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { namespaceResource } from '../../api/core/v1/namespace.ts';
import { secretResource, type Secret } from '../../api/core/v1/secret.ts';
import { openLmdbStore } from '../../store/lmdb/lmdb-store.ts';
import type { Store } from '../../store/store.ts';
import { createObjectStore } from './create-object-store.ts';
import type { ListPage, ObjectFilter, ObjectStore } from './object-store.ts';

let folder: string;
let store: Store;
let objects: ObjectStore<Secret> & { close(): void };
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'keylet-registry-'));
  store = await openLmdbStore({ path: folder });
  objects = createObjectStore(secretResource, store);
});
afterEach(async () => {
  objects.close();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const secret = (name: string, fields: Partial<Secret> = {}, namespace = 'default'): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace, uid: `uid-of-${name}` },
  ...fields,
});
const names = (page: ListPage): string[] =>
  page.items.map(each => `${each.namespace}/${each.name}`);
const evenOnly: ObjectFilter = object => Number(object.metadata.name?.slice(1)) % 2 === 0;

const fill = async (count: number, namespace = 'default'): Promise<void> => {
  for (let i = 0; i < count; i += 1) await objects.create(secret(`s${i}`, {}, namespace));
};
const pages = async (request: Parameters<typeof objects.list>[0]): Promise<ListPage[]> => {
  const all = [await objects.list(request)];
  for (let next = all[0]?.continue; next !== undefined; next = all.at(-1)?.continue) {
    all.push(await objects.list({ ...request, continue: next }));
  }
  return all;
};
const token = (fields: object): string =>
  Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: 2, ...fields })).toString('base64url');

describe('objects', () => {
  test('create() answers the object at its version, and get() the same bytes', async () => {
    const made = await objects.create(secret('a', { data: { k: 'dg==' } }));
    expect(made.object().metadata.resourceVersion).toBe(String(made.resourceVersion));
    expect((await objects.get('default', 'a')).json.toString()).toBe(made.json.toString());
    await expect(objects.create(secret('a'))).rejects.toMatchObject({
      code: 409,
      message: 'secrets "a" already exists',
    });
    await expect(objects.get('default', 'b')).rejects.toMatchObject({
      code: 404,
      message: 'secrets "b" not found',
    });
  });

  test('update() makes the change again when another writer was faster, and loses none', async () => {
    await objects.create(secret('a', { data: {} }));
    await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        objects.update('default', 'a', current => ({
          ...current,
          data: { ...current.data, [`k${i}`]: '' },
        })),
      ),
    );
    const { data = {} } = (await objects.get('default', 'a')).object();
    expect(Object.keys(data).toSorted()).toEqual(Array.from({ length: 10 }, (_, i) => `k${i}`));
  });

  test('update() leaves an object as it is that did not change, in another order of keys too', async () => {
    const made = await objects.create(secret('a', { data: { one: 'MQ==', two: 'Mg==' } }));
    const same = await objects.update('default', 'a', current => ({
      ...current,
      data: { two: 'Mg==', one: 'MQ==' },
    }));
    expect(same.resourceVersion).toBe(made.resourceVersion);
    const other = await objects.update('default', 'a', current => ({
      ...current,
      data: { two: 'MQ==', one: 'Mg==' },
    }));
    expect(other.resourceVersion).toBeGreaterThan(made.resourceVersion);
  });

  test('delete() answers the last state at the version of the deletion', async () => {
    const made = await objects.create(secret('a'));
    const gone = await objects.delete('default', 'a', { uid: 'uid-of-a' });
    expect(gone.resourceVersion).toBe(made.resourceVersion + 1);
    expect(gone.object().metadata.resourceVersion).toBe(String(gone.resourceVersion));
    await expect(objects.delete('default', 'a')).rejects.toMatchObject({ code: 404 });
  });

  test.each([
    {
      precondition: { uid: 'other' },
      detail:
        'the UID in the precondition (other) does not match the UID in record (uid-of-a). The object might have been deleted and then recreated',
    },
    {
      precondition: { resourceVersion: '1' },
      detail:
        'the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (2). The object might have been modified',
    },
  ])('delete() refuses under $precondition', async ({ precondition, detail }) => {
    await objects.create(secret('a'));
    await expect(objects.delete('default', 'a', precondition)).rejects.toMatchObject({
      code: 409,
      message: `Operation cannot be fulfilled on Secret "a": ${detail}`,
    });
    expect((await objects.get('default', 'a')).name).toBe('a');
  });
});

describe('lists', () => {
  test('list() goes through pages of one state, whatever is written meanwhile', async () => {
    await fill(5);
    const first = await objects.list({ namespace: 'default', limit: 2 });
    expect(first.remainingItemCount).toBe(3);
    await objects.create(secret('s9'));
    await objects.delete('default', 's4');
    const rest = await objects.list({
      namespace: 'default',
      limit: 5,
      continue: first.continue ?? '',
    });
    expect([...names(first), ...names(rest)]).toEqual([0, 1, 2, 3, 4].map(i => `default/s${i}`));
    expect(rest.resourceVersion).toBe(first.resourceVersion);
    expect(rest.continue).toBeUndefined();
  });

  test('list() under a filter fills its pages and does not tell how many remain', async () => {
    await fill(9);
    const all = await pages({ namespace: 'default', filter: evenOnly, limit: 2 });
    expect(all.flatMap(names)).toEqual([0, 2, 4, 6, 8].map(i => `default/s${i}`));
    expect(all[0]?.items).toHaveLength(2);
    expect(all[0]?.remainingItemCount).toBeUndefined();
  });

  test('list() stays in its namespace, and without one takes all', async () => {
    await fill(1);
    await fill(1, 'default-2');
    expect(names(await objects.list({ namespace: 'default' }))).toEqual(['default/s0']);
    // In the order of the keys' bytes, as etcd has it.
    expect(names(await objects.list({}))).toEqual(['default-2/s0', 'default/s0']);
    expect(names(await objects.list({ namespace: 'default-2', name: 's0' }))).toEqual([
      'default-2/s0',
    ]);
  });

  test('a continue token leads nowhere but on', async () => {
    await fill(1, 'a-namespace');
    await fill(1);
    const refused = (text: string, message: string) =>
      expect(objects.list({ namespace: 'default', continue: text })).rejects.toMatchObject({
        code: 400,
        message,
      });
    const invalid = 'invalid continue token: continue key is not valid';
    await refused(token({ start: '../a-namespace/' }), `${invalid}: ../a-namespace/`);
    await refused(
      token({ start: '' }),
      `${invalid}: encoded start key empty (version meta.k8s.io/v1)`,
    );
    await refused(
      token({ start: 'x', rv: 0 }),
      `${invalid}: incorrect encoded start resourceVersion (version meta.k8s.io/v1)`,
    );
    await refused('*', invalid);
    await expect(
      objects.list({ continue: token({ start: 'x' }), resourceVersion: '2' }),
    ).rejects.toMatchObject({
      message: 'specifying resource version is not allowed when using continue',
    });
  });

  test('a page of a forgotten state is 410 with a token that goes on as of now', async () => {
    await fill(4);
    const first = await objects.list({ limit: 2 });
    await objects.create(secret('s3x'));
    await store.compact(await store.revision());
    const error = await objects
      .list({ limit: 2, continue: first.continue ?? '' })
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 410,
      reason: 'Expired',
      message: expect.stringMatching(
        /^The provided continue parameter is too old to display a consistent list result\./,
      ) as string,
    });
    const { status } = error as { status: { metadata: { continue: string } } };
    const rest = await objects.list({ continue: status.metadata.continue });
    expect(names(rest)).toEqual(['default/s2', 'default/s3', 'default/s3x']);
  });

  test('list() knows the exact version, the not older one, the forgotten and the future one', async () => {
    await fill(3);
    const exact = await objects.list({ resourceVersion: '3', resourceVersionMatch: 'Exact' });
    expect(names(exact)).toHaveLength(2);
    expect(exact.resourceVersion).toBe(3);
    expect(names(await objects.list({ resourceVersion: '3' }))).toHaveLength(3);
    await expect(objects.list({ resourceVersion: '99' })).rejects.toMatchObject({
      code: 504,
      message: 'Timeout: Too large resource version: 99, current: 4',
      status: {
        details: { causes: [{ reason: 'ResourceVersionTooLarge' }], retryAfterSeconds: 1 },
      },
    });
    await store.compact(4);
    await expect(
      objects.list({ resourceVersion: '3', resourceVersionMatch: 'Exact' }),
    ).rejects.toMatchObject({
      code: 410,
      message: 'The resourceVersion for the provided list is too old.',
    });
  });

  test('list() of one name answers that object alone, as it was at the version that is asked for', async () => {
    const first = await objects.create(secret('a', { data: { k: 'MQ==' } }));
    await objects.create(secret('a-2'));
    await objects.create(secret('a'.padEnd(9, '-')));
    const { resourceVersion: before } = await objects.list({});
    const second = await objects.update('default', 'a', each => ({ ...each, data: { k: 'Mg==' } }));
    const listOf = async (request: object) => {
      const page = await objects.list({ namespace: 'default', name: 'a', ...request });
      return page.items.map(each => `${each.name} ${each.resourceVersion}`);
    };
    const was = [`a ${first.resourceVersion}`];
    const is = [`a ${second.resourceVersion}`];
    const exact = { resourceVersionMatch: 'Exact', resourceVersion: String(before) };
    expect(await listOf(exact)).toEqual(was);
    expect(await listOf({ ...exact, limit: 1 })).toEqual(was);
    expect(await listOf({ limit: 1, resourceVersion: String(before) })).toEqual(was);
    expect(await listOf({ ...exact, resourceVersion: '1' })).toEqual([]);
    expect(await listOf({ ...exact, filter: () => false })).toEqual([]);
    expect(await listOf({ resourceVersion: String(before) })).toEqual(is);
    expect(await listOf({ resourceVersion: '0' })).toEqual(is);
    expect(await listOf({})).toEqual(is);
    await expect(listOf({ resourceVersion: '999' })).rejects.toMatchObject({ code: 504 });
  });

  test('objects without a namespace are found by their name alone', async () => {
    const cluster = createObjectStore(namespaceResource, store);
    await cluster.create({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'a' },
    });
    expect((await cluster.get('', 'a')).name).toBe('a');
    expect(names(await cluster.list({ name: 'a' }))).toEqual(['/a']);
    cluster.close();
  });
});
