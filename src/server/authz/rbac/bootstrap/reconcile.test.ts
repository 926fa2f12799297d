import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { clusterRoleBindingResource } from '../../../../api/rbac.authorization.k8s.io/v1/cluster-role-binding.ts';
import { clusterRoleResource } from '../../../../api/rbac.authorization.k8s.io/v1/cluster-role.ts';
import { openLmdbStore } from '../../../../store/lmdb/lmdb-store.ts';
import type { Store } from '../../../../store/store.ts';
import { createObjectStore } from '../../../registry/create-object-store.ts';
import { mustBeValid } from '../../../verbs/write-rules.ts';
import { reconcileBootstrapPolicy } from './reconcile.ts';

let folder: string;
let store: Store;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'keylet-rbac-'));
  store = await openLmdbStore({ path: folder });
  await start();
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});
const roles = () => createObjectStore(clusterRoleResource, store);
const bindings = () => createObjectStore(clusterRoleBindingResource, store);
const start = () => reconcileBootstrapPolicy(roles(), bindings());
const role = async (name: string) => (await roles().get('', name)).object();
const binding = async (name: string) => (await bindings().get('', name)).object();

const autoupdate = 'rbac.authorization.kubernetes.io/autoupdate';

test('the first start makes roles and bindings that hold to the rules of any', async () => {
  for (const [objects, descriptor] of [
    [roles(), clusterRoleResource],
    [bindings(), clusterRoleBindingResource],
  ] as const) {
    const { items } = await objects.list({});
    expect(items.length).toBeGreaterThan(10);
    for (const item of items) {
      mustBeValid(item.object(), descriptor);
      expect(item.object().metadata).toMatchObject({
        annotations: { [autoupdate]: 'true' },
        labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
        uid: expect.any(String) as string,
        creationTimestamp: expect.any(String) as string,
      });
    }
  }
  expect((await role('edit')).metadata.labels).toMatchObject({
    'rbac.authorization.k8s.io/aggregate-to-admin': 'true',
  });
  expect((await role('view')).aggregationRule).toEqual({
    clusterRoleSelectors: [
      { matchLabels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } },
    ],
  });
  expect((await binding('system:basic-user')).subjects).toEqual([
    { apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:authenticated' },
  ]);
});

test('every binding leads to a role that is there', async () => {
  const names = (await roles().list({})).items.map(each => each.name);
  for (const item of (await bindings().list({})).items) {
    const { roleRef } = item.object() as unknown as { roleRef: { name: string } };
    expect(names).toContain(roleRef.name);
  }
});

test('a further start writes nothing', async () => {
  const before = await store.revision();
  await start();
  expect(await store.revision()).toBe(before);
});

test('what was taken away comes back, what was added stays', async () => {
  const more = { verbs: ['get'], apiGroups: ['acme.com'], resources: ['widgets'] };
  await roles().update('', 'system:basic-user', each => {
    each.rules = [{ ...each.rules?.[0], verbs: ['get'] }, more];
    each.metadata.labels = { mine: 'yes' };
    return each;
  });
  const jane = { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' };
  await bindings().update('', 'cluster-admin', each => ({ ...each, subjects: [jane] }));
  await start();
  const { rules, metadata } = await role('system:basic-user');
  expect(rules).toContainEqual(more);
  expect(rules?.slice(2)).toEqual([
    {
      verbs: ['create'],
      apiGroups: ['authorization.k8s.io'],
      resources: ['selfsubjectaccessreviews'],
    },
    {
      verbs: ['create'],
      apiGroups: ['authorization.k8s.io'],
      resources: ['selfsubjectrulesreviews'],
    },
    { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] },
  ]);
  expect(metadata.labels).toEqual({ mine: 'yes', 'kubernetes.io/bootstrapping': 'rbac-defaults' });
  expect((await binding('cluster-admin')).subjects).toEqual([
    jane,
    { apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:masters' },
  ]);
});

test('what an aggregated role has gathered stays, and so do selectors that were added', async () => {
  const gathered = [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }];
  const mine = { matchLabels: { mine: 'yes' } };
  await roles().update('', 'view', each => ({
    ...each,
    rules: gathered,
    aggregationRule: { clusterRoleSelectors: [mine] },
  }));
  await start();
  const { rules, aggregationRule } = await role('view');
  expect(rules).toEqual(gathered);
  expect(aggregationRule?.clusterRoleSelectors).toEqual([
    mine,
    { matchLabels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } },
  ]);
});

test('autoupdate: "false" keeps a role and a binding as they are', async () => {
  const annotations = { [autoupdate]: 'false' };
  const keep = <T extends { metadata: { annotations?: Record<string, string> | undefined } }>(
    each: T,
  ): T => ({ ...each, metadata: { ...each.metadata, annotations }, rules: [], subjects: [] });
  await roles().update('', 'system:discovery', keep);
  await bindings().update('', 'system:discovery', keep);
  const before = await store.revision();
  await start();
  expect(await store.revision()).toBe(before);
});

test('a binding that leads to another role is made anew', async () => {
  const other = {
    apiGroup: 'rbac.authorization.k8s.io',
    kind: 'ClusterRole',
    name: 'cluster-admin',
  };
  await bindings().update('', 'system:monitoring', each => ({ ...each, roleRef: other }));
  const { uid } = (await binding('system:monitoring')).metadata;
  await start();
  const { metadata, roleRef } = await binding('system:monitoring');
  expect(roleRef.name).toBe('system:monitoring');
  expect(metadata.uid).not.toBe(uid);
});
