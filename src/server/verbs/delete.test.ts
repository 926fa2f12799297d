import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { podResource, type Pod } from '../../api/core/v1/pod.ts';
import type { DeleteOptionsBody } from '../../machinery/options.ts';
import { openLmdbStore } from '../../store/lmdb/lmdb-store.ts';
import type { Store } from '../../store/store.ts';
import type { RequestContext } from '../operation/operation.ts';
import { createObjectStore } from '../registry/create-object-store.ts';
import type { ObjectStore } from '../registry/object-store.ts';
import { deleteObject } from './delete.ts';

let folder: string;
let store: Store;
let pods: ObjectStore<Pod> & { close(): void };
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'keylet-delete-'));
  store = await openLmdbStore({ path: folder });
  pods = createObjectStore(podResource, store);
});
afterEach(async () => {
  pods.close();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const pod = (uid: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'ns', uid },
  spec: { nodeName: 'node', containers: [{ name: 'a', image: 'busybox' }] },
});

/** Deletes the pod; while that is admitted, something else happens. */
const remove = (options: DeleteOptionsBody, meanwhile: () => Promise<unknown>) =>
  deleteObject(
    {} as RequestContext,
    { descriptor: podResource, objects: pods, handlers: {} },
    {
      options,
      target: { namespace: 'ns', name: 'p' },
      admit: async () => void (await meanwhile()),
    },
  );
const replaceByAnother = async (): Promise<void> => {
  await pods.delete('ns', 'p');
  await pods.create(pod('second'));
};

test.each([30, 0])(
  'a deletion with %i seconds of grace spares a pod that took the place of the admitted one',
  async gracePeriodSeconds => {
    await pods.create(pod('first'));
    await expect(remove({ gracePeriodSeconds }, replaceByAnother)).rejects.toMatchObject({
      code: 409,
    });
    const { metadata } = (await pods.get('ns', 'p')).object();
    expect(metadata).toMatchObject({ uid: 'second' });
    expect(metadata.deletionTimestamp).toBeUndefined();
  },
);

test('a deletion of one version spares a pod that changes while it is admitted', async () => {
  const { resourceVersion } = await pods.create(pod('first'));
  const options = { preconditions: { resourceVersion: String(resourceVersion) } };
  const change = () =>
    pods.update('ns', 'p', each => ({
      ...each,
      metadata: { ...each.metadata, labels: { a: 'b' } },
    }));
  await expect(remove(options, change)).rejects.toMatchObject({ code: 409 });
  expect((await pods.get('ns', 'p')).object().metadata.deletionTimestamp).toBeUndefined();
});
