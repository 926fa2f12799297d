import { afterEach, beforeEach, expect, test } from 'vitest';
import { configMapResource } from '../../../src/api/core/v1/configmap.ts';
import { namespaceResource } from '../../../src/api/core/v1/namespace.ts';
import { podResource } from '../../../src/api/core/v1/pod.ts';
import { secretResource } from '../../../src/api/core/v1/secret.ts';
import { absent } from '../../../src/machinery/status.ts';
import { eventually } from '../../support/eventually.ts';
import { startLocalControllers, type LocalControllers } from '../../support/local-controllers.ts';

let cluster: LocalControllers;
beforeEach(async () => {
  cluster = await startLocalControllers();
  await cluster.admin.resource(namespaceResource).create({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'team' },
  });
});
afterEach(() => cluster.close());

const namespace = () => cluster.admin.resource(namespaceResource).get('', 'team').catch(absent);
const deleteNamespace = () => cluster.admin.resource(namespaceResource).delete('', 'team');
const isGone = async (): Promise<boolean> => (await namespace()) === undefined;
const conditions = async () =>
  ((await namespace())?.status?.conditions ?? []).map(
    ({ type, status, reason, message }) => `${type} ${status} ${reason}: ${message}`,
  );

test('a namespace of large secrets ends, and is listed by metadata alone', async () => {
  const secrets = cluster.admin.resource(secretResource);
  const large = Buffer.alloc(900 * 1024, 'x').toString('base64');
  for (let i = 0; i < 60; i += 1)
    await secrets.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `s${i}`, namespace: 'team' },
      data: { large },
    });
  await deleteNamespace();
  await eventually(isGone, { timeoutMs: 60_000 });
  const deletes = cluster.requests.filter(each => each === 'DELETE secrets');
  expect(deletes).toHaveLength(60);
  const lists = cluster.requests.filter(each => each.startsWith('LIST secrets'));
  expect(lists.length).toBeLessThan(10);
  expect(lists.every(each => each === 'LIST secrets 500')).toBe(true);
});

test('a namespace that a finalizer holds says so, and ends when it is taken away', async () => {
  const configMaps = cluster.admin.resource(configMapResource);
  await configMaps.create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'held', namespace: 'team', finalizers: ['example.com/hold'] },
  });
  await deleteNamespace();
  await eventually(async () =>
    expect(await conditions()).toEqual([
      'NamespaceDeletionDiscoveryFailure False ResourcesDiscovered: All resources successfully discovered',
      'NamespaceDeletionGroupVersionParsingFailure False ParsedGroupVersions: All legacy kube types successfully parsed',
      'NamespaceDeletionContentFailure False ContentDeleted: All content successfully deleted, may be waiting on finalization',
      'NamespaceContentRemaining True SomeResourcesRemain: Some resources are remaining: configmaps. has 1 resource instances',
      'NamespaceFinalizersRemaining True SomeFinalizerRemain: Some finalizers are remaining: example.com/hold in 1 resource instances',
    ]),
  );
  await configMaps.patch('team', 'held', 'merge', { metadata: { finalizers: null } });
  await eventually(isGone);
});

test('secrets stay until the pods that may use them are gone', async () => {
  const secrets = cluster.admin.resource(secretResource);
  const pods = cluster.admin.resource(podResource);
  await secrets.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's', namespace: 'team' },
  });
  await eventually(() =>
    pods.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', namespace: 'team', finalizers: ['example.com/hold'] },
      spec: { containers: [{ name: 'c', image: 'example.com/c' }] },
    }),
  );
  await deleteNamespace();
  await eventually(async () =>
    expect(await conditions()).toContain(
      'NamespaceContentRemaining True SomeResourcesRemain: Some resources are remaining: pods. has 1 resource instances',
    ),
  );
  expect((await secrets.get('team', 's')).metadata.deletionTimestamp).toBeUndefined();
  await pods.patch('team', 'p', 'merge', { metadata: { finalizers: null } });
  await eventually(isGone);
});
