import { countSteps } from '../../../test/support/count-steps.ts';
import { testContext } from '../../../test/support/controller-context.ts';
import { expect, test, vi } from 'vitest';
import { configMapResource } from '../../api/core/v1/configmap.ts';
import { nodeResource } from '../../api/core/v1/node.ts';
import { secretResource } from '../../api/core/v1/secret.ts';
import type { DeleteOptions, KubeClient } from '../../client/client.ts';
import type { KubeObject, OwnerReference } from '../../machinery/meta.ts';
import { apiVersionOf, type ResourceRef } from '../../machinery/resource.ts';
import { conflict, notFound } from '../../machinery/status.ts';
import { garbageCollector } from './garbage-collector.ts';

type Patch = {
  metadata: { ownerReferences?: { uid: string; $patch?: string }[]; finalizers?: string[] };
};

let versions = 0;

/** A collector on an API in memory. What is written reaches the informers at once, unless they are held. */
function start({ held = false } = {}) {
  const stored = new Map<string, KubeObject>();
  const requests: string[] = [];
  const pending: (() => void)[] = [];
  const feed = (event: () => void): void => void (held ? pending.push(event) : event());
  const keyOf = ({ plural }: ResourceRef, namespace: string, name: string): string =>
    `${plural}/${namespace}/${name}`;
  const found = (ref: ResourceRef, namespace: string, name: string): KubeObject => {
    const object = stored.get(keyOf(ref, namespace, name));
    if (object === undefined) throw notFound(ref, name);
    return object;
  };
  const save = (ref: ResourceRef, object: KubeObject): void => {
    const { namespace = '', name = '', deletionTimestamp, finalizers = [] } = object.metadata;
    object.metadata.resourceVersion = `${(versions += 1)}`;
    const kept = structuredClone(object);
    if (deletionTimestamp !== undefined && finalizers.length === 0) {
      stored.delete(keyOf(ref, namespace, name));
      feed(() => context.informers.feed(ref).remove(kept));
    } else {
      stored.set(keyOf(ref, namespace, name), object);
      feed(() => context.informers.feed(ref).put(kept));
    }
  };
  const metadata = (ref: ResourceRef) => ({
    get(namespace: string, name: string) {
      requests.push(`get ${ref.plural}/${name}`);
      return Promise.resolve().then(() => structuredClone(found(ref, namespace, name)));
    },
    list({ namespace }: { namespace?: string }) {
      requests.push(`list ${ref.plural}`);
      const items = [...stored.entries()]
        .filter(([key]) => key.startsWith(`${ref.plural}/${namespace ?? ''}`))
        .map(([, object]) => structuredClone(object));
      return Promise.resolve({ metadata: {}, items });
    },
    async patch(namespace: string, name: string, _type: string, { metadata: patch }: Patch) {
      requests.push(`patch ${ref.plural}/${name}`);
      await Promise.resolve();
      const object = found(ref, namespace, name);
      for (const { uid, ...change } of patch.ownerReferences ?? []) {
        const owners = object.metadata.ownerReferences ?? [];
        object.metadata.ownerReferences =
          change.$patch === 'delete'
            ? owners.filter(each => each.uid !== uid)
            : owners.map(each => (each.uid === uid ? { ...each, ...change } : each));
      }
      if (patch.finalizers !== undefined) object.metadata.finalizers = patch.finalizers;
      save(ref, object);
    },
    async delete(namespace: string, name: string, options: DeleteOptions = {}) {
      requests.push(`delete ${ref.plural}/${name}`);
      await Promise.resolve();
      const object = found(ref, namespace, name);
      if (
        (options.resourceVersion ?? object.metadata.resourceVersion) !==
        object.metadata.resourceVersion
      )
        throw conflict(ref, name, 'the version differs');
      object.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
      const policies = { Foreground: ['foregroundDeletion'], Orphan: ['orphan'], Background: [] };
      object.metadata.finalizers = [
        ...(object.metadata.finalizers ?? []),
        ...policies[options.propagationPolicy ?? 'Background'],
      ];
      save(ref, object);
    },
  });
  const context = testContext({ metadata: metadata as unknown as KubeClient['metadata'] });
  garbageCollector.start(context);
  const create = (
    ref: ResourceRef,
    name: string,
    owners: readonly OwnerReference[] = [],
    finalizers: string[] = [],
  ): OwnerReference => {
    const object: KubeObject = {
      apiVersion: apiVersionOf(ref),
      kind: ref.kind,
      metadata: {
        name,
        ...(ref.namespaced ? { namespace: 'ns' } : {}),
        uid: `uid-of-${name}`,
        ownerReferences: [...owners],
        finalizers,
      },
    };
    save(ref, object);
    return { apiVersion: object.apiVersion, kind: ref.kind, name, uid: `uid-of-${name}` };
  };
  return {
    ...context,
    requests,
    metadata,
    create,
    names: () => [...stored.values()].map(each => each.metadata.name),
    ownersOf: (name: string) =>
      [...stored.values()]
        .find(each => each.metadata.name === name)
        ?.metadata.ownerReferences?.map(each => each.name),
    deliver() {
      for (const event of pending.splice(0)) event();
    },
  };
}
const configMap = configMapResource as ResourceRef;
const secret = secretResource as ResourceRef;
const gone = (name: string): OwnerReference => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name,
  uid: `uid-of-${name}`,
});

test('an object goes with its last owner', async () => {
  const { create, metadata, names } = start();
  const [a, b] = [create(configMap, 'a'), create(configMap, 'b')];
  create(secret, 's', [a, b]);
  await metadata(configMap).delete('ns', 'a');
  await vi.waitFor(() => expect(names()).toEqual(['b', 's']));
  await metadata(configMap).delete('ns', 'b');
  await vi.waitFor(() => expect(names()).toEqual([]));
});

test('an owner that is gone is taken out of the references while another lives', async () => {
  const { create, ownersOf } = start();
  const alive = create(configMap, 'alive');
  create(secret, 's', [gone('x'), alive]);
  await vi.waitFor(() => expect(ownersOf('s')).toEqual(['alive']));
});

test('the API is asked once about an owner that is gone, however many depended on it', async () => {
  const { create, names, requests } = start();
  const owner = gone('x');
  create(secret, 'first', [owner]);
  await vi.waitFor(() => expect(names()).toEqual([]));
  for (let i = 0; i < 100; i += 1) create(secret, `s${i}`, [owner]);
  await vi.waitFor(() => expect(names()).toEqual([]));
  expect(requests.filter(each => each.startsWith('get'))).toEqual(['get configmaps/x']);
});

test('owners of kinds that are not served, or out of reach, keep their dependents', async () => {
  const { create, names, requests } = start();
  create(secret, 's', [{ apiVersion: 'example.com/v1', kind: 'Widget', name: 'w', uid: 'w' }]);
  create(nodeResource, 'n', [gone('x')]);
  create(secret, 'last', [gone('x')]);
  await vi.waitFor(() => expect(names()).toEqual(['s', 'n']));
  expect(requests).toEqual(['get configmaps/x', 'delete secrets/last']);
});

test('deleted in the foreground, an owner goes after those that block it and before the others', async () => {
  const { create, metadata, names, requests } = start();
  const owner = create(configMap, 'owner');
  create(secret, 'blocking', [{ ...owner, blockOwnerDeletion: true }], ['example.com/hold']);
  create(secret, 'other', [owner]);
  await metadata(configMap).delete('ns', 'owner', { propagationPolicy: 'Foreground' });
  await vi.waitFor(() => expect(names()).toEqual(['owner', 'blocking']));
  await metadata(secret).patch('ns', 'blocking', 'merge', { metadata: { finalizers: [] } });
  await vi.waitFor(() => expect(names()).toEqual([]));
  expect(requests.filter(each => each === 'patch configmaps/owner')).toHaveLength(1);
});

test('owners that block each other in a circle are deleted in the foreground all the same', async () => {
  const { create, metadata, names } = start();
  const block = (name: string) => ({ ...gone(name), blockOwnerDeletion: true });
  create(configMap, 'a', [block('b')]);
  create(configMap, 'b', [block('a')]);
  await metadata(configMap).delete('ns', 'a', { propagationPolicy: 'Foreground' });
  await vi.waitFor(() => expect(names()).toEqual([]));
});

test('orphans lose the reference and stay, also one that is noticed after its owner is gone', async () => {
  const { create, metadata, names, ownersOf, deliver } = start({ held: true });
  const owner = create(configMap, 'owner');
  create(secret, 'early', [owner]);
  deliver();
  await metadata(configMap).delete('ns', 'owner', { propagationPolicy: 'Orphan' });
  deliver();
  // It was created before the owner was deleted; its watch is only slower.
  create(secret, 'late', [owner]);
  await vi.waitFor(() => {
    deliver();
    expect(names()).toEqual(['early', 'late']);
    expect([ownersOf('early'), ownersOf('late')]).toEqual([[], []]);
  });
});

test('an object that was given another owner meanwhile is not deleted', async () => {
  const { create, metadata, names, ownersOf, deliver, requests } = start({ held: true });
  const [a, b] = [create(configMap, 'a'), create(configMap, 'b')];
  create(secret, 's', [a]);
  deliver();
  await metadata(configMap).delete('ns', 'a');
  deliver();
  // The informers have not seen this yet when the collector deletes.
  create(secret, 's', [b]);
  await vi.waitFor(() => expect(requests).toContain('delete secrets/s'));
  deliver();
  await vi.waitFor(() => expect(ownersOf('s')).toEqual(['b']));
  expect(names()).toEqual(['b', 's']);
});

/** Deletes all of these owners in the foreground, each of which has one dependent that blocks it. */
async function costOf(count: number): Promise<{ steps: number; requests: number }> {
  const { create, metadata, names, requests } = start();
  for (let i = 0; i < count; i += 1) {
    const owner = create(configMap, `owner-${i}`);
    create(secret, `dependent-${i}`, [{ ...owner, blockOwnerDeletion: true }]);
  }
  const steps = await countSteps(async () => {
    for (let i = 0; i < count; i += 1)
      await metadata(configMap).delete('ns', `owner-${i}`, { propagationPolicy: 'Foreground' });
    while (names().length > 0) await new Promise(resolve => setImmediate(resolve));
  });
  return { steps, requests: requests.length };
}

test('deletions in the foreground cost the same each, however many objects there are', async () => {
  const few = await costOf(100);
  const many = await costOf(1000);
  // The owner is deleted, its dependent too, and the finalizer is read and removed.
  expect(few.requests).toBe(4 * 100);
  expect(many.requests).toBe(4 * 1000);
  expect(many.steps / few.steps).toBeLessThan(15);
});

test('one owner with a thousand dependents that block it', async () => {
  const { create, metadata, names, requests } = start();
  const owner = create(configMap, 'owner');
  for (let i = 0; i < 1000; i += 1)
    create(secret, `s${i}`, [{ ...owner, blockOwnerDeletion: true }]);
  await metadata(configMap).delete('ns', 'owner', { propagationPolicy: 'Foreground' });
  await vi.waitFor(() => expect(names()).toEqual([]), 10_000);
  expect(requests).toHaveLength(1 + 1000 + 2);
});

test.each(['name', 'uid'] as const)(
  'an owner whose %s is longer than any is absent, without a question to the API',
  async field => {
    const { create, names, requests } = start();
    create(secret, 's', [{ ...gone('x'), [field]: 'a'.repeat(100_000) }]);
    await vi.waitFor(() => expect(names()).toEqual([]));
    expect(requests).toEqual(['delete secrets/s']);
  },
);

test('thousands of absent owners are asked for by one list', async () => {
  const { create, names, requests } = start();
  create(
    secret,
    's',
    Array.from({ length: 5000 }, (_, i) => gone(`x${i}`)),
  );
  await vi.waitFor(() => expect(names()).toEqual([]), 10_000);
  expect(requests.filter(each => each.startsWith('get'))).toHaveLength(8);
  expect(requests.slice(8)).toEqual(['list configmaps', 'delete secrets/s']);
});

test('one owner that lives among thousands that do not keeps the object', async () => {
  const { create, names, ownersOf } = start();
  const owner = create(configMap, 'owner');
  const absent = Array.from({ length: 100 }, (_, i) => gone(`x${i}`));
  create(secret, 's', [...absent, owner]);
  await vi.waitFor(() => expect(ownersOf('s')).toEqual(['owner']), 10_000);
  expect(names()).toEqual(['owner', 's']);
});
