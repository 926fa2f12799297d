import { timestamp } from '../../machinery/timestamp.ts';
import type { Node } from '../../api/core/v1/node.ts';
import { hostPortsOf } from '../../api/core/v1/pod/host-ports.ts';
import { podResource, type Pod } from '../../api/core/v1/pod.ts';
import type { KubeClient } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { Informer } from '../../client/informer.ts';
import type { Logger } from '../../machinery/log.ts';
import { isStatusError } from '../../machinery/status.ts';
import { createWorkQueue, type WorkQueue } from '../../machinery/work-queue.ts';
import { rejectionReason } from './fit.ts';

const schedulerName = 'default-scheduler';

/** Binds each pod without a node to one that is ready, as soon as both are there. */
export function startScheduler({
  client,
  pods,
  nodes,
  recorder,
  log,
}: {
  readonly client: KubeClient;
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
  readonly recorder: EventRecorder;
  readonly log: Logger;
}): WorkQueue {
  const podClient = client.resource(podResource);
  const refusals = new Map<string, string>();
  /** Nodes of pods that were just bound, by UID, until the informer sees the binding. */
  const assumed = new Map<string, string>();

  const waits = (pod: Pod): boolean =>
    !pod.spec.nodeName &&
    pod.spec.schedulerName === schedulerName &&
    pod.metadata.deletionTimestamp === undefined &&
    (pod.spec.schedulingGates ?? []).length === 0;

  const queue = createWorkQueue({
    async work(key) {
      const [namespace = '', name = ''] = key.split('/');
      const pod = pods.get(namespace, name);
      if (pod === undefined || !waits(pod)) return;
      const node = pick(pod);
      if (node === undefined) return tellRefusal(key, pod);
      refusals.delete(key);
      assumed.set(uidOf(pod), node.metadata.name ?? '');
      const target = { apiVersion: 'v1', kind: 'Node', name: node.metadata.name ?? '' };
      const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace }, target };
      try {
        await podClient.createSubresource(namespace, name, 'binding', binding);
      } catch (error) {
        assumed.delete(uidOf(pod));
        if (isStatusError(error, 'NotFound') || isStatusError(error, 'Conflict')) return;
        throw error;
      }
      recorder.event(pod, 'Normal', 'Scheduled', `Successfully assigned ${key} to ${target.name}`);
    },
    onError: (pod, error) => log.warn('A pod was not bound', { pod, error: String(error) }),
  });

  const podsOn = (node: Node): Pod[] =>
    pods
      .list()
      .filter(
        each =>
          (each.spec.nodeName || assumed.get(uidOf(each))) === node.metadata.name &&
          !hasEnded(each),
      );
  const reasonAgainst = (pod: Pod, node: Node): string | undefined =>
    rejectionReason(pod, node, () => podsOn(node).filter(each => uidOf(each) !== uidOf(pod)));

  /** The node with the fewest pods, of those that fit. */
  const pick = (pod: Pod): Node | undefined => {
    const load = (node: Node): number => podsOn(node).length;
    const fitting = nodes.list().filter(node => reasonAgainst(pod, node) === undefined);
    if (fitting.length < 2) return fitting[0];
    return fitting.toSorted((a, b) => load(a) - load(b))[0];
  };

  const tellRefusal = async (key: string, pod: Pod): Promise<void> => {
    const all = nodes.list();
    const counts = new Map<string, number>();
    for (const node of all) {
      const reason = reasonAgainst(pod, node);
      if (reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
    const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).join(', ');
    const message =
      all.length === 0
        ? 'no nodes available to schedule pods'
        : `0/${all.length} nodes are available: ${reasons}.`;
    if (refusals.get(key) === message) return;
    refusals.set(key, message);
    recorder.event(pod, 'Warning', 'FailedScheduling', message);
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastTransitionTime: timestamp(),
    };
    const { namespace = '', name = '' } = pod.metadata;
    await podClient.patch(
      namespace,
      name,
      'strategic',
      { status: { conditions: [condition] } },
      { subresource: 'status' },
    );
  };

  const retryWaiting = (): void => {
    for (const pod of pods.list()) if (waits(pod)) queue.add(keyOf(pod));
  };
  pods.onChange(({ type, object }) => {
    if (type === 'deleted') refusals.delete(keyOf(object));
    else if (waits(object)) queue.add(keyOf(object));
    if (type === 'deleted' || object.spec.nodeName) assumed.delete(uidOf(object));
    const frees = type === 'deleted' || hasEnded(object);
    if (frees && hostPortsOf(object).length > 0) retryWaiting();
  });
  nodes.onChange(retryWaiting);
  return queue;
}

const keyOf = ({ metadata }: Pod): string => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
const uidOf = ({ metadata }: Pod): string => metadata.uid ?? '';
const hasEnded = ({ status }: Pod): boolean =>
  status?.phase === 'Succeeded' || status?.phase === 'Failed';
