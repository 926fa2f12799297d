import type { Namespace } from '../../api/core/v1/namespace.ts';
import { failure, forbidden, notFound, isStatusError } from '../../machinery/status.ts';
import type { ObjectStore } from '../registry/object-store.ts';
import type { AdmissionHook } from './admission.ts';

const immortal = new Set(['default', 'kube-system', 'kube-public']);
const resource = { group: '', plural: 'namespaces' };

/** Nothing is made in a namespace that is absent or ending; the first ones cannot be deleted. */
export function namespaceLifecycle(namespaces: ObjectStore<Namespace>): AdmissionHook {
  return async ({ operation, descriptor, subresource, namespace, name }) => {
    if (descriptor.plural === 'namespaces') {
      if (operation === 'delete' && immortal.has(name)) {
        throw forbidden(resource, name, 'this namespace may not be deleted');
      }
      return;
    }
    if (operation !== 'create' || subresource !== '' || !descriptor.namespaced) return;
    const found = await namespaces.get('', namespace).catch((error: unknown) => {
      if (isStatusError(error, 'NotFound')) throw notFound(resource, namespace);
      throw error;
    });
    if (found.object().status?.phase !== 'Terminating') return;
    const refusal = forbidden(
      { group: descriptor.group, plural: descriptor.plural },
      name,
      `unable to create new content in namespace ${namespace} because it is being terminated`,
    );
    throw failure(403, 'Forbidden', refusal.message, {
      ...refusal.status.details,
      causes: [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${namespace} is being terminated`,
          field: 'metadata.namespace',
        },
      ],
    });
  };
}
