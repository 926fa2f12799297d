import type { EventRecorder } from '../../client/event-recorder.ts';
import type { KubeObject } from '../../machinery/meta.ts';
import { apiVersionOf, type ResourceDescriptor } from '../../machinery/resource.ts';

/** References to owners that are in another namespace than their dependent, which Kubernetes does not allow. */
export interface InvalidOwners {
  know(object: KubeObject): void;
  forget(object: KubeObject): void;
  /** Warns once of the first such reference, in Kubernetes' words. */
  report(dependent: KubeObject, resource: ResourceDescriptor): void;
}

export function createInvalidOwners(recorder: EventRecorder): InvalidOwners {
  /** Of every object that may be an owner, by UID. */
  const namespaces = new Map<string, string>();
  /** The owner's UID, by the dependent's. */
  const reported = new Map<string, string>();
  return {
    know: ({ metadata: { uid = '', namespace = '' } }) => void namespaces.set(uid, namespace),
    forget({ metadata: { uid = '' } }) {
      namespaces.delete(uid);
      reported.delete(uid);
    },
    report(dependent, resource) {
      const { uid = '', namespace = '', ownerReferences = [] } = dependent.metadata;
      const invalid = ownerReferences.find(owner => {
        const actual = namespaces.get(owner.uid) ?? '';
        // What is in no namespace may own anything.
        return actual !== '' && actual !== namespace;
      });
      if (invalid === undefined || reported.get(uid) === invalid.uid) return;
      reported.set(uid, invalid.uid);
      const owner = `[${invalid.apiVersion}/${invalid.kind}, namespace: ${namespace}, name: ${invalid.name}, uid: ${invalid.uid}]`;
      recorder.event(
        { ...dependent, apiVersion: apiVersionOf(resource), kind: resource.kind },
        'Warning',
        'OwnerRefInvalidNamespace',
        `ownerRef ${owner} does not exist in namespace ${JSON.stringify(namespace)}`,
      );
    },
  };
}
