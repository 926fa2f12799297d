import { afterEach, beforeEach, expect, test } from 'vitest';
import { leaseResource } from '../../../src/api/coordination.k8s.io/v1/lease.ts';
import { eventResource } from '../../../src/api/core/v1/event.ts';
import { namespaceResource } from '../../../src/api/core/v1/namespace.ts';
import { nodeResource } from '../../../src/api/core/v1/node.ts';
import { podResource } from '../../../src/api/core/v1/pod.ts';
import { absent } from '../../../src/machinery/status.ts';
import { registerNode } from '../../../src/node/node-status/node-registration.ts';
import { eventually } from '../../support/eventually.ts';
import { startLocalControllers, type LocalControllers } from '../../support/local-controllers.ts';

let cluster: LocalControllers;
beforeEach(async () => {
  cluster = await startLocalControllers();
});
afterEach(() => cluster.close());

const nodes = () => cluster.admin.resource(nodeResource);
const pods = () => cluster.admin.resource(podResource);
const createNode = async (name: string): Promise<void> => {
  await nodes().create({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
  // The node controller taints the new node meanwhile.
  const status = {
    conditions: [{ type: 'Ready', status: 'True' }],
    allocatable: { cpu: '1', memory: '1Gi', pods: '10' },
  };
  await nodes().patch('', name, 'merge', { status }, { subresource: 'status' });
};
const createPod = (name: string, spec: object = {}) =>
  // Its service account is made a moment after the namespace.
  eventually(() =>
    pods().create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default' },
      spec: { containers: [{ name: 'c', image: 'example.com/c' }], ...spec },
    }),
  );
const eventsOf = async (name: string): Promise<string[]> =>
  (await cluster.admin.resource(eventResource).list({ namespace: 'default' })).items
    .filter(({ involvedObject }) => involvedObject.name === name)
    .map(({ reason, message }) => `${reason ?? ''}: ${message ?? ''}`);
const requesting = (cpu: string) => ({
  containers: [{ name: 'c', image: 'example.com/c', resources: { requests: { cpu } } }],
});

test('a pod waits for CPU, says so, and is bound when another pod has gone', async () => {
  await createNode('n');
  await createPod('first', requesting('800m'));
  await eventually(async () =>
    expect((await pods().get('default', 'first')).spec.nodeName).toBe('n'),
  );
  await createPod('second', requesting('300m'));
  const message =
    '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.';
  await eventually(async () => {
    const { status } = await pods().get('default', 'second');
    expect(status?.conditions).toMatchObject([
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message },
    ]);
    expect(await eventsOf('second')).toEqual([`FailedScheduling: ${message}`]);
  });
  await pods().delete('default', 'first', { gracePeriodSeconds: 0 });
  await eventually(async () =>
    expect((await pods().get('default', 'second')).spec.nodeName).toBe('n'),
  );
});

test('a NoExecute taint evicts pods that do not tolerate it', async () => {
  await createNode('n');
  await createPod('fleeting');
  const tolerations = [{ key: 'maintenance', operator: 'Exists' }];
  await createPod('lasting', { tolerations });
  for (const name of ['fleeting', 'lasting'])
    await eventually(async () =>
      expect((await pods().get('default', name)).spec.nodeName).toBe('n'),
    );
  await nodes().patch('', 'n', 'merge', {
    spec: { taints: [{ key: 'maintenance', effect: 'NoExecute' }] },
  });
  await eventually(async () => {
    const { metadata, status } = await pods().get('default', 'fleeting');
    expect(metadata.deletionTimestamp).toBeDefined();
    expect(status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'DisruptionTarget', reason: 'DeletionByTaintManager' }),
    );
    expect(await eventsOf('fleeting')).toContain(
      'TaintManagerEviction: Marking for deletion Pod default/fleeting',
    );
  });
  expect((await pods().get('default', 'lasting')).metadata.deletionTimestamp).toBeUndefined();
});

test('a cordoned node is tainted, and loses the taint with the cordon', async () => {
  await createNode('n');
  await nodes().patch('', 'n', 'merge', { spec: { unschedulable: true } });
  await eventually(async () =>
    expect((await nodes().get('', 'n')).spec?.taints).toMatchObject([
      { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' },
    ]),
  );
  await nodes().patch('', 'n', 'merge', { spec: { unschedulable: null } });
  await eventually(async () => expect((await nodes().get('', 'n')).spec?.taints).toBeUndefined());
});

test('the lease of a node belongs to it and goes with it; a late node is ready again when it reports', async () => {
  const leases = cluster.admin.resource(leaseResource);
  const nothing = (): void => undefined;
  const registration = await registerNode({
    client: cluster.admin,
    facts: () =>
      Promise.resolve({
        nodeName: 'n',
        hostIp: '127.0.0.1',
        port: 10_250,
        dataDir: '/',
        reservedPorts: () => Promise.resolve(new Set<number>()),
        runtimeVersion: 'none',
        version: '0.0.0',
        notReady: undefined,
      }),
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
  });
  const readiness = async () =>
    (await nodes().get('', 'n')).status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  try {
    const { metadata } = await leases.get('kube-node-lease', 'n');
    expect(metadata.ownerReferences).toEqual([
      { apiVersion: 'v1', kind: 'Node', name: 'n', uid: registration.node.metadata.uid },
    ]);
    // As the node controller does when the lease is late.
    await nodes().patch(
      '',
      'n',
      'strategic',
      { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } },
      { subresource: 'status' },
    );
    expect(await readiness()).toBe('Unknown');
    registration.lookAgain();
    await eventually(async () => expect(await readiness()).toBe('True'));
  } finally {
    await registration.close();
  }
  await nodes().delete('', 'n');
  await eventually(
    async () => (await leases.get('kube-node-lease', 'n').catch(absent)) === undefined,
  );
});

test('a system namespace that is deleted comes back', async () => {
  const namespaces = cluster.admin.resource(namespaceResource);
  const { metadata } = await namespaces.get('', 'kube-node-lease');
  await namespaces.delete('', 'kube-node-lease');
  await eventually(async () => {
    const now = await namespaces.get('', 'kube-node-lease');
    expect(now.metadata.uid).not.toBe(metadata.uid);
    expect(now.status?.phase).toBe('Active');
  });
});
