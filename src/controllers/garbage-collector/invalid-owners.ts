import type { EventRecorder } from '../../client/event-recorder.ts';
import { apiVersionOf } from '../../machinery/resource.ts';
import { ownersOf, type GraphObject, type OwnerGraph } from './owner-graph.ts';

/** Warns of owners that are in another namespace than their dependent, which Kubernetes does not allow. */
export interface InvalidOwners {
  /** Warns of the first such reference of an object, once. */
  report(dependent: GraphObject): void;
  forget(uid: string): void;
}

export function createInvalidOwners(recorder: EventRecorder, graph: OwnerGraph): InvalidOwners {
  /** The owner's UID, by the dependent's. */
  const reported = new Map<string, string>();
  return {
    report(dependent) {
      const { resource, metadata } = dependent;
      const { uid = '', namespace = '' } = metadata;
      const invalid = ownersOf(dependent).find(owner => {
        const actual = graph.get(owner.uid)?.metadata.namespace ?? '';
        // A cluster-scoped object may own anything.
        return actual !== '' && actual !== namespace;
      });
      if (invalid === undefined || reported.get(uid) === invalid.uid) return;
      reported.set(uid, invalid.uid);
      const owner = `[${invalid.apiVersion}/${invalid.kind}, namespace: ${namespace}, name: ${invalid.name}, uid: ${invalid.uid}]`;
      recorder.event(
        { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata },
        'Warning',
        'OwnerRefInvalidNamespace',
        `ownerRef ${owner} does not exist in namespace ${JSON.stringify(namespace)}`,
      );
    },
    forget: uid => void reported.delete(uid),
  };
}
