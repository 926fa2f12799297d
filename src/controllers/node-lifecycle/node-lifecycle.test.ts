import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { testContext } from '../../../test/support/controller-context.ts';
import { leaseResource, type Lease } from '../../api/coordination.k8s.io/v1/lease.ts';
import { nodeResource, type Node } from '../../api/core/v1/node.ts';
import { podResource, type Pod } from '../../api/core/v1/pod.ts';
import type { KubeClient } from '../../client/client.ts';
import { nodeLifecycle } from './node-lifecycle.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type Ready = 'True' | 'False' | 'Unknown';
const nodeOf = (name: string, ready?: Ready): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, uid: `uid-of-${name}`, creationTimestamp: '2026-01-01T00:00:00Z' },
  status: { conditions: ready === undefined ? [] : [{ type: 'Ready', status: ready }] },
});
const leaseOf = (node: string, renewTime: string): Lease => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: node, namespace: 'kube-node-lease' },
  spec: { renewTime },
});
const podOn = (node: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'ns', uid: 'uid-of-p' },
  spec: { nodeName: node, containers: [{ name: 'c' }] },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
});

function start() {
  const context = testContext({
    resource: (() => ({
      updateStatus: (node: Node) => {
        nodes.put(node);
        return Promise.resolve(node);
      },
      patch: (_: string, name: string, __: string, { spec }: Pick<Node, 'spec'>) => {
        const node = nodes.informer.get('', name) ?? nodeOf(name);
        const { taints } = spec ?? {};
        nodes.put({ ...node, spec: { ...node.spec, ...(taints ? { taints } : { taints: [] }) } });
        return Promise.resolve({});
      },
    })) as unknown as KubeClient['resource'],
    metadata: (() => ({
      patch: (_: string, name: string, __: string, { status }: Pick<Pod, 'status'>) => {
        const pod = pods.informer.get('ns', name) ?? podOn('');
        pods.put({ ...pod, ...(status === undefined ? {} : { status }) });
        return Promise.resolve({});
      },
    })) as unknown as KubeClient['metadata'],
  });
  const nodes = context.informers.feed(nodeResource);
  const leases = context.informers.feed(leaseResource);
  const pods = context.informers.feed(podResource);
  nodeLifecycle.start(context);
  return {
    ...context,
    nodes,
    leases,
    pods,
    taintsOf: (name: string) =>
      (nodes.informer.get('', name)?.spec?.taints ?? []).map(
        ({ key, effect }) => `${key}:${effect}`,
      ),
    ready: (name: string) =>
      nodes.informer.get('', name)?.status?.conditions?.find(({ type }) => type === 'Ready'),
  };
}

test('a node whose lease is renewed stays ready; one that has stopped is Unknown after 40 s', async () => {
  const { nodes, leases, pods, ready, taintsOf, events } = start();
  nodes.put(nodeOf('lively', 'True'));
  nodes.put(nodeOf('silent', 'True'));
  pods.put(podOn('silent'));
  for (let second = 0; second < 40; second += 10) {
    leases.put(leaseOf('lively', `renewed after ${second} s`));
    await vi.advanceTimersByTimeAsync(10_000);
  }
  expect(ready('silent')?.status).toBe('True');
  leases.put(leaseOf('lively', 'renewed after 40 s'));
  await vi.advanceTimersByTimeAsync(5_100);
  expect(ready('lively')?.status).toBe('True');
  expect(ready('silent')).toMatchObject({
    status: 'Unknown',
    reason: 'NodeStatusUnknown',
    message: 'Kubelet stopped posting node status.',
  });
  expect(taintsOf('lively')).toEqual([]);
  expect(taintsOf('silent')).toEqual([
    'node.kubernetes.io/unreachable:NoSchedule',
    'node.kubernetes.io/unreachable:NoExecute',
  ]);
  expect(pods.informer.get('ns', 'p')?.status?.conditions?.[0]?.status).toBe('False');
  expect(events).toEqual([
    'lively RegisteredNode: Node lively event: Registered Node lively in Controller',
    'silent RegisteredNode: Node silent event: Registered Node silent in Controller',
    'silent NodeNotReady: Node silent status is now: NodeNotReady',
    'p NodeNotReady: Node is not ready',
  ]);
});

test('a node that reports again loses its taints; those of its users stay', async () => {
  const { nodes, taintsOf } = start();
  nodes.put(nodeOf('other', 'True'));
  const node = nodeOf('n', 'False');
  node.spec = { taints: [{ key: 'mine', effect: 'NoSchedule' }] };
  nodes.put(node);
  await vi.advanceTimersByTimeAsync(0);
  expect(taintsOf('n')).toEqual([
    'mine:NoSchedule',
    'node.kubernetes.io/not-ready:NoSchedule',
    'node.kubernetes.io/not-ready:NoExecute',
  ]);
  const tainted = nodes.informer.get('', 'n') ?? node;
  nodes.put({ ...tainted, status: { conditions: [{ type: 'Ready', status: 'True' }] } });
  await vi.advanceTimersByTimeAsync(0);
  expect(taintsOf('n')).toEqual(['mine:NoSchedule']);
});

test('where no node is ready nobody is evicted', async () => {
  const { nodes, taintsOf } = start();
  nodes.put(nodeOf('n', 'False'));
  await vi.advanceTimersByTimeAsync(0);
  expect(taintsOf('n')).toEqual(['node.kubernetes.io/not-ready:NoSchedule']);
});

test('a node that never reported is Unknown after a minute', async () => {
  const { nodes, ready } = start();
  nodes.put(nodeOf('n'));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ready('n')).toBeUndefined();
  await vi.advanceTimersByTimeAsync(5_100);
  expect(ready('n')).toMatchObject({
    status: 'Unknown',
    reason: 'NodeStatusNeverUpdated',
    message: 'Kubelet never posted node status.',
  });
});

test('cordoned nodes and nodes under pressure are tainted', async () => {
  const { nodes, taintsOf } = start();
  const node = nodeOf('n', 'True');
  node.spec = { unschedulable: true };
  node.status?.conditions?.push({ type: 'DiskPressure', status: 'True' });
  nodes.put(node);
  await vi.advanceTimersByTimeAsync(0);
  expect(taintsOf('n')).toEqual([
    'node.kubernetes.io/disk-pressure:NoSchedule',
    'node.kubernetes.io/unschedulable:NoSchedule',
  ]);
});
