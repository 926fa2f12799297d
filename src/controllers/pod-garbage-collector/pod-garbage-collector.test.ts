import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { testContext } from '../../../test/support/controller-context.ts';
import { nodeResource } from '../../api/core/v1/node.ts';
import { podResource, type Pod } from '../../api/core/v1/pod.ts';
import type { DeleteOptions, KubeClient } from '../../client/client.ts';
import { notFound } from '../../machinery/status.ts';
import { podGarbageCollector } from './pod-garbage-collector.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } };
const podOf = (name: string, nodeName = '', changes: Partial<Pod> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'ns', uid: name },
  spec: { nodeName, containers: [{ name: 'c' }] },
  ...changes,
});

function start(nodesOfApi: readonly string[] = []) {
  const requests: string[] = [];
  const context = testContext({
    metadata: (() => ({
      get: (_: string, name: string) =>
        nodesOfApi.includes(name)
          ? Promise.resolve({ metadata: { name } })
          : Promise.reject(notFound(nodeResource, name)),
      patch: (_: string, name: string, __: string, { status }: Pick<Pod, 'status'>) => {
        const messages = (status?.conditions ?? []).map(({ message }) => ` (${message ?? ''})`);
        requests.push(`${name} is ${status?.phase ?? ''}${messages.join('')}`);
        return Promise.resolve({});
      },
      delete: (_: string, name: string, { gracePeriodSeconds }: DeleteOptions) => {
        requests.push(`delete ${name} in ${gracePeriodSeconds ?? 'its'} seconds`);
        return Promise.resolve();
      },
    })) as unknown as KubeClient['metadata'],
  });
  const feed = context.informers.feed;
  return {
    nodes: feed(nodeResource),
    pods: feed(podResource),
    requests,
    run: () => podGarbageCollector.start(context),
  };
}

test('pods of nodes that do not exist go after 40 s', async () => {
  const { nodes, pods, requests, run } = start();
  nodes.put(node);
  pods.put(podOf('here', 'n'));
  pods.put(podOf('lost', 'gone'));
  pods.put(podOf('unscheduled'));
  run();
  await vi.advanceTimersByTimeAsync(39_000);
  expect(requests).toEqual([]);
  await vi.advanceTimersByTimeAsync(1_100);
  expect(requests).toEqual([
    'lost is Failed (PodGC: node no longer exists)',
    'delete lost in 0 seconds',
  ]);
});

test('a node that comes back in time keeps its pods, and so does one that only the API knows', async () => {
  const { nodes, pods, requests, run } = start(['known-to-the-api']);
  pods.put(podOf('a', 'n'));
  pods.put(podOf('b', 'known-to-the-api'));
  run();
  await vi.advanceTimersByTimeAsync(30_000);
  nodes.put(node);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(requests).toEqual([]);
});

test('a pod that is being deleted and never had a node goes at once', async () => {
  const { pods, requests, run } = start();
  run();
  const pod = podOf('p');
  pod.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
  pods.put(pod);
  await vi.advanceTimersByTimeAsync(0);
  expect(requests).toEqual(['p is Failed', 'delete p in 0 seconds']);
});

test('of pods that ended, 12,500 are kept: evicted ones go first, then the oldest', async () => {
  const { nodes, pods, requests, run } = start();
  nodes.put(node);
  for (let i = 0; i < 12_502; i += 1) {
    const pod = podOf(`p${i}`, 'n', { status: { phase: 'Succeeded' } });
    pod.metadata.creationTimestamp = new Date(i * 1000).toISOString();
    if (i === 9000) pod.status = { phase: 'Failed', reason: 'Evicted' };
    pods.put(pod);
  }
  run();
  await vi.advanceTimersByTimeAsync(20_100);
  expect(new Set(requests)).toEqual(
    new Set(['delete p9000 in 0 seconds', 'delete p0 in 0 seconds']),
  );
});
