import { countSteps } from '../../../test/support/count-steps.ts';
import { testContext } from '../../../test/support/controller-context.ts';
import { expect, test, vi } from 'vitest';
import { nodeResource, type Node } from '../../api/core/v1/node.ts';
import { podResource, type Pod } from '../../api/core/v1/pod.ts';
import type { KubeClient } from '../../client/client.ts';
import { scheduler } from './scheduler.ts';

const node: Node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n' },
  status: {
    conditions: [{ type: 'Ready', status: 'True' }],
    allocatable: { cpu: '2', memory: '1Gi', pods: '5000' },
  },
};
type Container = Pod['spec']['containers'][number];
const podOf = (name: string, container: Partial<Container>): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'ns', uid: name },
  spec: { schedulerName: 'default-scheduler', containers: [{ name: 'c', ...container }] },
});
const web = (name: string): Pod => podOf(name, { ports: [{ containerPort: 80, hostPort: 8080 }] });
const requesting = (name: string, cpu: string): Pod =>
  podOf(name, { resources: { requests: { cpu } } });
const onNode = (pod: Pod): Pod => ({ ...pod, spec: { ...pod.spec, nodeName: 'n' } });
const ended = (pod: Pod): Pod => ({ ...onNode(pod), status: { phase: 'Succeeded' } });

function start(bind: () => Promise<unknown> = () => Promise.resolve({})) {
  const bound: string[] = [];
  const patched: string[] = [];
  const context = testContext({
    resource: (() => ({
      createSubresource: (_: string, name: string) => {
        bound.push(name);
        return bind();
      },
    })) as unknown as KubeClient['resource'],
    metadata: (() => ({
      patch: (_: string, name: string) => {
        patched.push(name);
        return Promise.resolve({});
      },
    })) as unknown as KubeClient['metadata'],
  });
  scheduler.start(context);
  const nodes = context.informers.feed(nodeResource);
  nodes.put(node);
  return { pods: context.informers.feed(podResource), nodes, bound, patched, ...context };
}

const noVictims =
  'preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.';

test('the second of two pods with the same host port waits until the first has finished', async () => {
  const { pods, bound, events } = start();
  // The informer has not seen the first binding when the second pod arrives.
  pods.put(web('first'));
  pods.put(web('second'));
  await vi.waitFor(() =>
    expect(events).toContain(
      `second FailedScheduling: 0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports. ${noVictims}`,
    ),
  );
  expect(bound).toEqual(['first']);
  pods.put(onNode(web('first')));
  pods.put(ended(web('first')));
  await vi.waitFor(() => expect(bound).toEqual(['first', 'second']));
});

test('deleting a pod frees its host ports', async () => {
  const { pods, bound } = start();
  pods.put(web('first'));
  pods.put(web('second'));
  await vi.waitFor(() => expect(bound).toEqual(['first']));
  pods.remove(web('first'));
  await vi.waitFor(() => expect(bound).toEqual(['first', 'second']));
});

test('pods wait for resources, and are told once why', async () => {
  const { pods, nodes, bound, events, patched } = start();
  pods.put(requesting('big', '2'));
  pods.put(requesting('small', '100m'));
  const message = `small FailedScheduling: 0/1 nodes are available: 1 Insufficient cpu. ${noVictims}`;
  await vi.waitFor(() => expect(events).toContain(message));
  // A heartbeat changes nothing, nor does a change of the pod's own status.
  nodes.put({ ...node, metadata: { ...node.metadata, resourceVersion: '2' } });
  pods.put({ ...requesting('small', '100m'), status: { phase: 'Pending' } });
  pods.put(onNode(requesting('big', '2')));
  pods.put(ended(requesting('big', '2')));
  await vi.waitFor(() => expect(bound).toEqual(['big', 'small']));
  expect(events.filter(each => each.startsWith('small FailedScheduling'))).toEqual([message]);
  expect(patched).toEqual(['small']);
});

test('a request that no node could ever satisfy says that preemption does not help', async () => {
  const { pods, events } = start();
  pods.put(requesting('huge', '64'));
  await vi.waitFor(() =>
    expect(events).toContain(
      'huge FailedScheduling: 0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
    ),
  );
});

test('a binding that fails is tried again, and its resources are free meanwhile', async () => {
  let fails = 1;
  const { pods, bound } = start(() =>
    (fails -= 1) === 0 ? Promise.reject(new Error('connection lost')) : Promise.resolve({}),
  );
  pods.put(requesting('one', '2'));
  await vi.waitFor(() => expect(bound).toEqual(['one', 'one']));
});

/** How much work it is when each of these pods ends, one after the other, while the others wait. */
async function stepsToServe(count: number): Promise<number> {
  const { pods, bound, patched } = start();
  const names = Array.from({ length: count }, (_, i) => `p${i}`);
  for (const name of names) pods.put(web(name));
  await vi.waitFor(() => expect(patched).toHaveLength(count - 1));
  const serve = async (): Promise<void> => {
    for (let i = 0; i + 1 < count; i += 1) {
      const name = bound[i] ?? '';
      pods.put(onNode(web(name)));
      pods.put(ended(web(name)));
      while (bound.length < i + 2) await new Promise(resolve => setImmediate(resolve));
    }
  };
  const steps = await countSteps(serve);
  expect(bound).toEqual(names);
  return steps;
}

test('of a thousand pods that wait for one host port, each that is freed wakes one', async () => {
  const few = await stepsToServe(100);
  const many = await stepsToServe(1000);
  expect(many / few).toBeLessThan(15);
});
