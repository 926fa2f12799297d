import { expect, test, vi } from 'vitest';
import type { Node } from '../../api/core/v1/node.ts';
import type { Pod } from '../../api/core/v1/pod.ts';
import type { KubeClient } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { Informer, InformerChange } from '../../client/informer.ts';
import type { KubeObject } from '../../machinery/meta.ts';
import { startScheduler } from './scheduler.ts';

/** An informer whose objects the test sets. */
function fed<T extends KubeObject>() {
  const objects = new Map<string, T>();
  const handlers: ((change: InformerChange<T>) => void)[] = [];
  const emit = (change: InformerChange<T>): void => {
    for (const handler of handlers) handler(change);
  };
  const informer: Informer<T> = {
    synced: Promise.resolve(),
    get: (_, name) => objects.get(name),
    list: () => [...objects.values()],
    onChange: handler => void handlers.push(handler),
  };
  return {
    informer,
    put(object: T) {
      const name = object.metadata.name ?? '';
      const old = objects.get(name);
      objects.set(name, object);
      emit(old === undefined ? { type: 'added', object } : { type: 'updated', object, old });
    },
    remove(object: T) {
      objects.delete(object.metadata.name ?? '');
      emit({ type: 'deleted', object });
    },
  };
}

const node: Node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n' },
  status: { conditions: [{ type: 'Ready', status: 'True' }] },
};
const web = (name: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'ns', uid: name },
  spec: {
    schedulerName: 'default-scheduler',
    containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 8080 }] }],
  },
});

function start() {
  const pods = fed<Pod>();
  const nodes = fed<Node>();
  const bound: string[] = [];
  const events: string[] = [];
  const client = {
    resource: () => ({
      createSubresource: (_: string, name: string) => {
        bound.push(name);
        return Promise.resolve({});
      },
      patch: () => Promise.resolve({}),
    }),
  } as unknown as KubeClient;
  const recorder = {
    event: (pod: Pod, _: string, reason: string, message: string) =>
      events.push(`${pod.metadata.name ?? ''} ${reason}: ${message}`),
  } as unknown as EventRecorder;
  const silent = (): void => undefined;
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  startScheduler({ client, pods: pods.informer, nodes: nodes.informer, recorder, log });
  nodes.put(node);
  return { pods, bound, events };
}

test('the second of two pods with the same host port waits until the first has finished', async () => {
  const { pods, bound, events } = start();
  // The informer has not seen the first binding when the second pod arrives.
  pods.put(web('first'));
  pods.put(web('second'));
  await vi.waitFor(() =>
    expect(events).toContain(
      "second FailedScheduling: 0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
    ),
  );
  expect(bound).toEqual(['first']);
  const running = web('first');
  running.spec.nodeName = 'n';
  pods.put(running);
  pods.put({ ...running, status: { phase: 'Succeeded' } });
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
