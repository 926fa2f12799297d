import { createHash } from 'node:crypto';
import { hostPortsOf } from '../../api/core/v1/pod/host-ports.ts';
import type { Pod } from '../../api/core/v1/pod.ts';
import type { Obstacle } from './fit.ts';
import { podRequests } from './pod-requests.ts';

/** Pods for which no node was found and that are alike to the scheduler: what helps one helps all. */
export interface PodGroup {
  /** Keys of pods, the longest waiting first. */
  readonly pods: ReadonlySet<string>;
  readonly obstacles: readonly Obstacle[];
}

/** The pods that wait for a node, in groups: a change is tried on one pod of each group, not on all. */
export interface WaitingPods {
  add(key: string, pod: Pod, obstacles: readonly Obstacle[]): void;
  remove(key: string): void;
  groups(): Iterable<PodGroup>;
}

interface Group {
  readonly signature: string;
  readonly pods: Set<string>;
  obstacles: readonly Obstacle[];
}

export function createWaitingPods(): WaitingPods {
  const groups = new Map<string, Group>();
  const groupOf = new Map<string, Group>();
  const remove = (key: string): void => {
    const group = groupOf.get(key);
    groupOf.delete(key);
    group?.pods.delete(key);
    if (group?.pods.size === 0) groups.delete(group.signature);
  };
  return {
    add(key, pod, obstacles) {
      const signature = signatureOf(pod, obstacles);
      if (groupOf.get(key)?.signature !== signature) remove(key);
      const group = groups.get(signature) ?? { signature, pods: new Set(), obstacles };
      group.obstacles = obstacles;
      group.pods.add(key);
      groups.set(signature, group);
      groupOf.set(key, group);
    },
    remove,
    groups: () => groups.values(),
  };
}

/** All that decides where a pod fits. */
function signatureOf(pod: Pod, obstacles: readonly Obstacle[]): string {
  const { nodeSelector, affinity, tolerations, preemptionPolicy } = pod.spec;
  const requests = [...podRequests(pod)].map(([name, amount]) => [name, String(amount)]);
  return createHash('sha256')
    .update(
      JSON.stringify([
        nodeSelector,
        affinity,
        tolerations,
        preemptionPolicy,
        hostPortsOf(pod),
        requests,
        // Others may keep it away for its labels.
        ...(obstacles.includes('neighbours') ? [pod.metadata.namespace, pod.metadata.labels] : []),
      ]),
    )
    .digest('base64');
}
