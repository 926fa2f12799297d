import { nodeResource } from '../../api/core/v1/node.ts';
import { podResource, type Pod } from '../../api/core/v1/pod.ts';
import { absent } from '../../machinery/status.ts';
import { createWorkQueue } from '../../machinery/work-queue.ts';
import type { Controller } from '../controller.ts';
import { hasEnded, patchPodStatus, podCondition } from '../pod-status.ts';

/** kube-controller-manager's --terminated-pod-gc-threshold. */
const maxTerminatedPods = 12_500;
const checkEveryMs = 20_000;
/** A node that is absent for so long does not come back. */
const quarantineMs = 40_000;

/** Deletes pods that nobody will ever end: their node is gone, or they never had one; and old ones that ended. */
export const podGarbageCollector: Controller = {
  name: 'pod-garbage-collector',
  start({ client, informers, log }) {
    const pods = informers.of(podResource);
    const nodes = informers.of(nodeResource);
    const synced = Promise.all([pods.synced, nodes.synced]);
    const superfluous = new Set<string>();

    const queue = createWorkQueue({
      async work(key) {
        const [namespace = '', name = ''] = key.split('/');
        const pod = pods.get(namespace, name);
        const isOld = superfluous.delete(key);
        if (pod === undefined) return;
        const isUnscheduled = !pod.spec.nodeName && pod.metadata.deletionTimestamp !== undefined;
        const isOrphaned = !isUnscheduled && !isOld && (await isNodeGone(pod));
        if (!isUnscheduled && !isOld && !isOrphaned) return;
        try {
          if (!hasEnded(pod)) await markFailed(pod, isOrphaned);
          await client
            .metadata(podResource)
            .delete(namespace, name, { uid: pod.metadata.uid ?? '', gracePeriodSeconds: 0 });
        } catch (error) {
          absent(error);
        }
      },
      onError: (pod, error) =>
        log.warn('Pod garbage collection failed', { pod, error: String(error) }),
    });

    const isNodeGone = async ({ spec: { nodeName = '' } }: Pod): Promise<boolean> =>
      nodeName !== '' &&
      nodes.get('', nodeName) === undefined &&
      (await client.metadata(nodeResource).get('', nodeName).catch(absent)) === undefined;

    const markFailed = (pod: Pod, isOrphaned: boolean): Promise<void> => {
      const conditions = [
        podCondition(pod, {
          type: 'DisruptionTarget',
          status: 'True',
          reason: 'DeletionByPodGC',
          message: 'PodGC: node no longer exists',
        }),
      ];
      return patchPodStatus(client, pod, {
        phase: 'Failed',
        ...(isOrphaned ? { conditions } : {}),
      });
    };

    pods.onChange(({ type, object: { metadata, spec } }) => {
      if (type === 'deleted') return;
      if (!spec.nodeName && metadata.deletionTimestamp !== undefined) queue.add(keyOf(metadata));
    });
    /** Since when nodes are missing that pods are bound to, by name. */
    const missingSince = new Map<string, number>();
    const check = (): void => {
      const now = performance.now();
      const missing = new Set<string>();
      const ended: Pod[] = [];
      for (const pod of pods.list()) {
        if (hasEnded(pod)) ended.push(pod);
        const { nodeName = '' } = pod.spec;
        if (nodeName === '' || nodes.get('', nodeName) !== undefined) continue;
        missing.add(nodeName);
        const since = missingSince.get(nodeName) ?? now;
        missingSince.set(nodeName, since);
        if (now - since >= quarantineMs) queue.add(keyOf(pod.metadata));
      }
      for (const node of missingSince.keys()) if (!missing.has(node)) missingSince.delete(node);
      const excess = ended.length - maxTerminatedPods;
      if (excess <= 0) return;
      for (const { metadata } of ended.toSorted(byEvictionAndAge).slice(0, excess)) {
        superfluous.add(keyOf(metadata));
        queue.add(keyOf(metadata));
      }
    };
    let timer: NodeJS.Timeout | undefined;
    let closed = false;
    void synced.then(() => {
      if (closed) return;
      check();
      timer = setInterval(check, checkEveryMs);
    });
    return {
      async close() {
        closed = true;
        clearInterval(timer);
        await queue.close();
      },
    };
  },
};

const keyOf = ({ namespace = '', name = '' }: Pod['metadata']): string => `${namespace}/${name}`;

/** Evicted pods first, then the oldest. */
function byEvictionAndAge(a: Pod, b: Pod): number {
  const rank = ({ status }: Pod): number => (status?.reason === 'Evicted' ? 0 : 1);
  return (
    rank(a) - rank(b) ||
    Date.parse(a.metadata.creationTimestamp ?? '') -
      Date.parse(b.metadata.creationTimestamp ?? '') ||
    ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1)
  );
}
