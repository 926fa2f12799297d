import { isDeepStrictEqual } from 'node:util';
import { nodeResource, type Node } from '../../api/core/v1/node.ts';
import { podResource, type Pod } from '../../api/core/v1/pod.ts';
import { absent } from '../../machinery/status.ts';
import { createWorkQueue } from '../../machinery/work-queue.ts';
import type { Controller } from '../controller.ts';
import { patchPodStatus, podCondition } from '../pod-status.ts';
import { toleratesTaint, type Taint } from '../taints.ts';

/** Evicts the pods of nodes that have NoExecute taints, once their tolerations have run out. */
export const taintEviction: Controller = {
  name: 'taint-eviction-controller',
  start({ client, informers, recorder: recorderOf, log }) {
    const pods = informers.of(podResource);
    const nodes = informers.of(nodeResource);
    const recorder = recorderOf('taint-eviction-controller');
    /** Pods that tolerate the taints of their node only for a time, and since when. */
    const scheduled = new Map<string, { readonly pod: Pod; readonly sinceMs: number }>();

    const queue = createWorkQueue({
      async work(key) {
        const [namespace = '', name = ''] = key.split('/');
        const pod = pods.get(namespace, name);
        const entry = scheduled.get(key);
        if (entry !== undefined && entry.pod.metadata.uid !== pod?.metadata.uid) cancel(key);
        if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) {
          scheduled.delete(key);
          return;
        }
        const node = nodes.get('', pod.spec.nodeName ?? '');
        const toleratedMs = tolerationMs(pod, noExecuteTaintsOf(node));
        if (toleratedMs === Infinity) return cancel(key);
        const sinceMs = scheduled.get(key)?.sinceMs ?? performance.now();
        const leftMs = sinceMs + toleratedMs - performance.now();
        if (leftMs > 0) {
          scheduled.set(key, { pod, sinceMs });
          queue.addAfter(key, leftMs);
          return;
        }
        scheduled.delete(key);
        await evict(pod);
      },
      onError: (pod, error) => log.warn('Taint eviction failed', { pod, error: String(error) }),
    });

    const cancel = (key: string): void => {
      const entry = scheduled.get(key);
      if (!scheduled.delete(key) || entry === undefined) return;
      const message = `Cancelling deletion of Pod ${key}`;
      recorder.event(entry.pod, 'Normal', 'TaintManagerEviction', message);
    };

    const evict = async (pod: Pod): Promise<void> => {
      const { namespace = '', name = '', uid = '' } = pod.metadata;
      const message = `Marking for deletion Pod ${keyOf(pod)}`;
      recorder.event(pod, 'Normal', 'TaintManagerEviction', message);
      const condition = podCondition(pod, {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'DeletionByTaintManager',
        message: 'Taint manager: deleting due to NoExecute taint',
      });
      try {
        await patchPodStatus(client, pod, { conditions: [condition] });
        await client.metadata(podResource).delete(namespace, name, { uid });
      } catch (error) {
        absent(error);
      }
    };

    pods.onChange(change => {
      const { object: pod } = change;
      const isUnchanged =
        change.type === 'updated' &&
        change.old.spec.nodeName === pod.spec.nodeName &&
        isDeepStrictEqual(change.old.spec.tolerations, pod.spec.tolerations);
      const concernsTaints =
        scheduled.has(keyOf(pod)) ||
        noExecuteTaintsOf(nodes.get('', pod.spec.nodeName ?? '')).length > 0;
      if (!isUnchanged && concernsTaints) queue.add(keyOf(pod));
    });
    nodes.onChange(change => {
      const old = change.type === 'updated' ? change.old : undefined;
      const current = change.type === 'deleted' ? undefined : change.object;
      if (isDeepStrictEqual(noExecuteTaintsOf(old), noExecuteTaintsOf(current))) return;
      for (const pod of pods.list())
        if (pod.spec.nodeName === change.object.metadata.name) queue.add(keyOf(pod));
    });
    return queue;
  },
};

const noExecuteTaintsOf = (node: Node | undefined): readonly Taint[] =>
  (node?.spec?.taints ?? []).filter(({ effect }) => effect === 'NoExecute');

/** How long a pod tolerates the taints; Infinity for ever, 0 where it does not tolerate one of them. */
function tolerationMs({ spec: { tolerations = [] } }: Pod, taints: readonly Taint[]): number {
  const limits = taints.map(taint => {
    const used = tolerations.filter(each => toleratesTaint(each, taint));
    if (used.length === 0) return 0;
    const seconds = used.flatMap(({ tolerationSeconds }) => tolerationSeconds ?? []);
    return Math.max(0, Math.min(Infinity, ...seconds)) * 1000;
  });
  return Math.min(Infinity, ...limits);
}

const keyOf = ({ metadata }: Pod): string => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
