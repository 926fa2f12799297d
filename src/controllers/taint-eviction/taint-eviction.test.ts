import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { testContext } from '../../../test/support/controller-context.ts';
import { nodeResource, type Node } from '../../api/core/v1/node.ts';
import { podResource, type Pod } from '../../api/core/v1/pod.ts';
import type { KubeClient } from '../../client/client.ts';
import { taintEviction } from './taint-eviction.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const nodeWith = (...keys: string[]): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n' },
  spec: { taints: keys.map(key => ({ key, effect: 'NoExecute' })) },
});
const podOf = (name: string, tolerations: Pod['spec']['tolerations'] = []): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'ns', uid: name },
  spec: { nodeName: 'n', tolerations, containers: [{ name: 'c' }] },
});
const tolerating = (key: string, tolerationSeconds?: number) => ({
  key,
  operator: 'Exists' as const,
  ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
});

function start() {
  const deleted: string[] = [];
  const conditions: unknown[] = [];
  const context = testContext({
    metadata: (() => ({
      patch: (_: string, __: string, ___: string, { status }: Pick<Pod, 'status'>) => {
        conditions.push(...(status?.conditions ?? []).map(({ type, reason }) => [type, reason]));
        return Promise.resolve({});
      },
      delete: (_: string, name: string) => {
        deleted.push(name);
        return Promise.resolve();
      },
    })) as unknown as KubeClient['metadata'],
  });
  taintEviction.start(context);
  const feed = context.informers.feed;
  return { nodes: feed(nodeResource), pods: feed(podResource), deleted, conditions, ...context };
}

test('pods that do not tolerate a taint go at once, others when their time is over', async () => {
  const { nodes, pods, deleted, conditions, events } = start();
  nodes.put(nodeWith());
  pods.put(podOf('none'));
  pods.put(podOf('a-minute', [tolerating('a', 60)]));
  pods.put(podOf('for-ever', [tolerating('a')]));
  await vi.advanceTimersByTimeAsync(0);
  expect(deleted).toEqual([]);
  nodes.put(nodeWith('a'));
  await vi.advanceTimersByTimeAsync(0);
  expect(deleted).toEqual(['none']);
  expect(conditions).toEqual([['DisruptionTarget', 'DeletionByTaintManager']]);
  await vi.advanceTimersByTimeAsync(59_900);
  expect(deleted).toEqual(['none']);
  await vi.advanceTimersByTimeAsync(200);
  expect(deleted).toEqual(['none', 'a-minute']);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(deleted).toEqual(['none', 'a-minute']);
  expect(events).toEqual([
    'none TaintManagerEviction: Marking for deletion Pod ns/none',
    'a-minute TaintManagerEviction: Marking for deletion Pod ns/a-minute',
  ]);
});

test('an eviction is cancelled when the taint goes', async () => {
  const { nodes, pods, deleted, events } = start();
  nodes.put(nodeWith('a'));
  pods.put(podOf('p', [tolerating('a', 60)]));
  await vi.advanceTimersByTimeAsync(30_000);
  nodes.put(nodeWith());
  await vi.advanceTimersByTimeAsync(600_000);
  expect(deleted).toEqual([]);
  expect(events).toEqual(['p TaintManagerEviction: Cancelling deletion of Pod ns/p']);
  // A later taint begins anew.
  nodes.put(nodeWith('a'));
  await vi.advanceTimersByTimeAsync(59_000);
  expect(deleted).toEqual([]);
  await vi.advanceTimersByTimeAsync(1_100);
  expect(deleted).toEqual(['p']);
});

test('the shortest toleration counts, and each taint must be tolerated', async () => {
  const { nodes, pods, deleted } = start();
  nodes.put(nodeWith('a', 'b'));
  pods.put(podOf('half', [tolerating('a', 60)]));
  pods.put(podOf('both', [tolerating('a', 600), tolerating('b', 10), tolerating('a')]));
  await vi.advanceTimersByTimeAsync(0);
  expect(deleted).toEqual(['half']);
  await vi.advanceTimersByTimeAsync(10_100);
  expect(deleted).toEqual(['half', 'both']);
});

test('a pod that comes to a tainted node is looked at too', async () => {
  const { nodes, pods, deleted } = start();
  nodes.put(nodeWith('a'));
  pods.put(podOf('late'));
  await vi.advanceTimersByTimeAsync(0);
  expect(deleted).toEqual(['late']);
});

test('a very long toleration is no short one', async () => {
  const { nodes, pods, deleted } = start();
  nodes.put(nodeWith('a'));
  pods.put(podOf('p', [tolerating('a', 2 ** 40)]));
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(deleted).toEqual([]);
});
