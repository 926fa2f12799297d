import { objectsOf } from '../../../api/core/v1/pod/pod-references.ts';
import { isMirrorPod, type Pod } from '../../../api/core/v1/pod.ts';
import type { Follower } from '../../registry/follow-objects.ts';

export type PodRelation = 'Pod' | 'Secret' | 'ConfigMap' | 'ServiceAccount';

/** What the pods of each node use, kept by the watch of pods. */
export interface PodGraph extends Follower<Pod> {
  /** Whether a pod that is bound to the node is, or uses, this object. */
  isRelated(nodeName: string, kind: PodRelation, namespace: string, name: string): boolean;
}

interface Entry {
  readonly uid: string;
  readonly nodeName: string;
  /** The one part of a bound pod that may still come to name objects. */
  readonly ephemeralContainers: number;
  readonly objects: readonly string[];
}

export function createPodGraph(): PodGraph {
  const pods = new Map<string, Entry>();
  /** object → node → how many pods of it use the object */
  const users = new Map<string, Map<string, number>>();

  const count = ({ objects, nodeName }: Entry, by: 1 | -1): void => {
    for (const object of objects) {
      const nodes = users.get(object) ?? new Map<string, number>();
      const uses = (nodes.get(nodeName) ?? 0) + by;
      if (uses === 0) nodes.delete(nodeName);
      else nodes.set(nodeName, uses);
      if (nodes.size === 0) users.delete(object);
      else users.set(object, nodes);
    }
  };
  const remove = (namespace: string, name: string): void => {
    const key = keyOf('Pod', namespace, name);
    const entry = pods.get(key);
    if (entry === undefined) return;
    pods.delete(key);
    count(entry, -1);
  };

  return {
    put(pod) {
      const { namespace = '', name = '', uid = '' } = pod.metadata;
      const { nodeName = '', ephemeralContainers = [] } = pod.spec;
      const key = keyOf('Pod', namespace, name);
      const known = pods.get(key);
      const same =
        known?.uid === uid &&
        known.nodeName === nodeName &&
        known.ephemeralContainers === ephemeralContainers.length;
      // Most changes of a pod are of its status.
      if (same) return;
      remove(namespace, name);
      if (nodeName === '') return;
      const entry: Entry = {
        uid,
        nodeName,
        ephemeralContainers: ephemeralContainers.length,
        objects: [key, ...usedBy(pod)],
      };
      pods.set(key, entry);
      count(entry, 1);
    },
    remove,
    clear() {
      pods.clear();
      users.clear();
    },
    isRelated: (nodeName, kind, namespace, name) =>
      users.get(keyOf(kind, namespace, name))?.has(nodeName) ?? false,
  };
}

const keyOf = (kind: PodRelation, namespace: string, name: string): string =>
  `${kind}/${namespace}/${name}`;

/** Nothing for a mirror pod: a node shall not come by others' objects by showing a pod that names them. */
function usedBy(pod: Pod): string[] {
  const { namespace = '' } = pod.metadata;
  if (isMirrorPod(pod)) return [];
  const account = pod.spec.serviceAccountName;
  return [
    ...objectsOf(pod).map(each => each.key),
    ...(account ? [keyOf('ServiceAccount', namespace, account)] : []),
  ];
}
