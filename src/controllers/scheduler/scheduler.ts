import { setImmediate as nextTurn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { nodeResource, type Node } from '../../api/core/v1/node.ts';
import { hostPortsOf } from '../../api/core/v1/pod/host-ports.ts';
import { podResource, type Pod } from '../../api/core/v1/pod.ts';
import { reservedPortsOf } from '../../api/core/v1/reserved-ports.ts';
import { createLoop } from '../../machinery/loop.ts';
import { absent, isStatusError } from '../../machinery/status.ts';
import { createWorkQueue } from '../../machinery/work-queue.ts';
import type { Controller } from '../controller.ts';
import { hasEnded, patchPodStatus, podCondition } from '../pod-status.ts';
import { unschedulableMessage } from './explain.ts';
import { rejectionOf, type Obstacle, type Rejection } from './fit.ts';
import type { Neighbour, Neighbours } from './inter-pod-affinity.ts';
import { createUsageByNode, type Placement } from './node-usage.ts';
import { taintsOf } from '../taints.ts';
import { createWaitingPods } from './waiting-pods.ts';

const schedulerName = 'default-scheduler';
/** How long pods are tried before others get their turn: one alone may take a while. */
const sliceMs = 5;

type Outcome =
  | { readonly type: 'bind'; readonly node: string }
  | { readonly type: 'report'; readonly message: string }
  | { readonly type: 'retry' };

/** Binds each pod without a node to one on which it fits, as soon as both are there. */
export const scheduler: Controller = {
  name: schedulerName,
  start({ client, informers, recorder: recorderOf, log }) {
    const pods = informers.of(podResource);
    const nodes = informers.of(nodeResource);
    const podClient = client.resource(podResource);
    const recorder = recorderOf(schedulerName);
    const usage = createUsageByNode();
    const waiting = createWaitingPods();
    /** Keys of pods to be tried, in their order. */
    const active = new Set<string>();
    /** What has become less of an obstacle since the waiting pods were tried. */
    let eased = new Set<Obstacle>();
    /** The last message about each pod that waits. */
    const reported = new Map<string, string>();
    const outcomes = new Map<string, Outcome>();

    const writes = createWorkQueue({
      async work(key) {
        const outcome = outcomes.get(key);
        outcomes.delete(key);
        const pod = podOf(key);
        if (outcome === undefined || pod === undefined) return;
        if (outcome.type === 'retry') activate(key);
        else if (outcome.type === 'report') await reportUnschedulable(pod, outcome.message);
        else await bind(key, pod, outcome.node);
      },
      onError: (pod, error) => log.warn('Scheduling failed', { pod, error: String(error) }),
    });

    const located = function* (placements: Iterable<Placement>): Iterable<Neighbour> {
      for (const { pod, node } of placements)
        yield { pod, nodeLabels: nodes.get('', node)?.metadata.labels ?? {} };
    };
    const neighbours: Neighbours = {
      all: () => located(usage.placed()),
      withAntiAffinity: () => located(usage.placedWithAntiAffinity()),
    };

    const podOf = (key: string): Pod | undefined => {
      const [namespace = '', name = ''] = key.split('/');
      return pods.get(namespace, name);
    };
    const activate = (key: string): void => {
      active.add(key);
      cycle.wake();
    };
    const decide = (key: string, outcome: Outcome): void => {
      outcomes.set(key, outcome);
      writes.add(key);
    };

    /** @returns whether a node was found */
    const trySchedule = (key: string): boolean => {
      const pod = podOf(key);
      if (pod === undefined || !isPending(pod)) {
        waiting.remove(key);
        return true;
      }
      if (usage.nodeOf(pod) !== undefined) return true;
      const rejections: Rejection[] = [];
      let best: { readonly name: string; readonly load: number } | undefined;
      for (const node of nodes.list()) {
        const { name = '' } = node.metadata;
        const rejection = rejectionOf(pod, node, usage.of(name), neighbours);
        const load = usage.of(name).pods.size;
        if (rejection !== undefined) rejections.push(rejection);
        else if (best === undefined || load < best.load) best = { name, load };
      }
      if (best !== undefined) {
        waiting.remove(key);
        reported.delete(key);
        usage.place(pod, best.name);
        decide(key, { type: 'bind', node: best.name });
        return true;
      }
      waiting.add(
        key,
        pod,
        rejections.map(({ obstacle }) => obstacle),
      );
      report(key, unschedulableMessage(pod, rejections));
      return false;
    };
    const report = (key: string, message: string): void => {
      if (reported.get(key) === message) return;
      reported.set(key, message);
      decide(key, { type: 'report', message });
    };

    const cycle = createLoop(
      async () => {
        let sliceEndsAt = performance.now() + sliceMs;
        const pause = async (): Promise<void> => {
          if (performance.now() < sliceEndsAt) return;
          await nextTurn();
          sliceEndsAt = performance.now() + sliceMs;
        };
        for (const key of active) {
          active.delete(key);
          trySchedule(key);
          await pause();
        }
        const changes = eased;
        eased = new Set();
        for (const group of waiting.groups()) {
          const mayFit = changes.has('node') || group.obstacles.some(each => changes.has(each));
          if (!mayFit) continue;
          for (const key of group.pods) {
            const before = reported.get(key);
            const found = trySchedule(key);
            await pause();
            if (found) continue;
            // The others are alike: they do not fit either, for the same reason.
            const message = reported.get(key) ?? '';
            if (message !== before) for (const other of group.pods) report(other, message);
            break;
          }
        }
      },
      { log, operation: 'scheduling' },
    );

    const bind = async (key: string, pod: Pod, node: string): Promise<void> => {
      const { namespace = '', name = '' } = pod.metadata;
      const target = { apiVersion: 'v1', kind: 'Node', name: node };
      const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace }, target };
      try {
        await podClient.createSubresource(namespace, name, 'binding', binding);
      } catch (error) {
        usage.remove(pod);
        ease('ports', 'resources', 'neighbours');
        // The pod is gone, being deleted or already bound: its watch says so.
        if (isStatusError(error, 'NotFound') || isStatusError(error, 'Conflict')) return;
        outcomes.set(key, { type: 'retry' });
        throw error;
      }
      recorder.event(pod, 'Normal', 'Scheduled', `Successfully assigned ${key} to ${node}`);
    };

    const reportUnschedulable = async (pod: Pod, message: string): Promise<void> => {
      recorder.event(pod, 'Warning', 'FailedScheduling', message);
      const condition = podCondition(pod, {
        type: 'PodScheduled',
        status: 'False',
        reason: 'Unschedulable',
        message,
      });
      await patchPodStatus(client, pod, { conditions: [condition] }).catch(absent);
    };

    const ease = (...obstacles: Obstacle[]): void => {
      for (const each of obstacles) eased.add(each);
      cycle.wake();
    };
    pods.onChange(change => {
      const { object: pod } = change;
      const key = keyOf(pod);
      if (change.type === 'deleted' || hasEnded(pod)) {
        waiting.remove(key);
        reported.delete(key);
        if (usage.remove(pod) !== undefined)
          ease(
            'resources',
            'neighbours',
            ...(hostPortsOf(pod).length > 0 ? (['ports'] as const) : []),
          );
        return;
      }
      if (pod.spec.nodeName) {
        const isNeighbour =
          change.type !== 'updated' ||
          change.old.spec.nodeName !== pod.spec.nodeName ||
          !isDeepStrictEqual(change.old.metadata.labels, pod.metadata.labels);
        usage.place(pod, pod.spec.nodeName);
        if (isNeighbour) ease('neighbours');
      } else if (change.type === 'added' || !isDeepStrictEqual(change.old.spec, pod.spec))
        activate(key);
    });
    nodes.onChange(change => {
      const hasChanged =
        change.type !== 'updated' ||
        !isDeepStrictEqual(schedulingState(change.object), schedulingState(change.old));
      if (hasChanged) ease('node', 'ports', 'resources');
    });
    return {
      async close() {
        await cycle.close();
        await writes.close();
      },
    };
  },
};

const isPending = (pod: Pod): boolean =>
  !pod.spec.nodeName &&
  pod.spec.schedulerName === schedulerName &&
  pod.metadata.deletionTimestamp === undefined &&
  (pod.spec.schedulingGates ?? []).length === 0;

/** What of a node decides whether pods fit: most of its changes are heartbeats. */
const schedulingState = (node: Node): unknown => [
  node.metadata.labels,
  node.spec?.unschedulable,
  taintsOf(node).map(({ timeAdded: _since, ...taint }) => taint),
  node.status?.allocatable,
  reservedPortsOf(node),
];

const keyOf = ({ metadata }: Pod): string => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
