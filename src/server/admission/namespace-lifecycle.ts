import type { Namespace } from '../../api/core/v1/namespace.ts';
import { failure, forbidden, notFound, isStatusError } from '../../machinery/status.ts';
import type { ObjectStore } from '../registry/object-store.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';

const immortal = new Set(['default', 'kube-system', 'kube-public']);
const resource = { group: '', plural: 'namespaces' };

/** Nothing is made in a namespace that is absent or ending; the first ones cannot be deleted. */
export function namespaceLifecycle(namespaces: ObjectStore<Namespace>): AdmissionPlugin {
  /** The namespace that each request was let into. */
  const uids = new WeakMap<AdmissionRequest, string>();
  const mustBeActive = async (request: AdmissionRequest): Promise<string> => {
    const { descriptor, namespace, name } = request;
    const found = await namespaces.get('', namespace).catch((error: unknown) => {
      if (isStatusError(error, 'NotFound')) throw notFound(resource, namespace);
      throw error;
    });
    const { metadata, status } = found.object();
    if (status?.phase !== 'Terminating') return metadata.uid ?? '';
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
  return {
    name: 'NamespaceLifecycle',
    async mutate(request) {
      const { operation, descriptor, name } = request;
      if (descriptor.plural === resource.plural && operation === 'delete' && immortal.has(name))
        throw forbidden(resource, name, 'this namespace may not be deleted');
      if (createsContent(request)) uids.set(request, await mustBeActive(request));
    },
    // What the request waited for may have taken so long that the namespace is another by now.
    async validate(request) {
      if (createsContent(request) && (await mustBeActive(request)) !== uids.get(request))
        throw notFound(resource, request.namespace);
    },
  };
}

const createsContent = ({ operation, descriptor }: AdmissionRequest): boolean =>
  operation === 'create' && descriptor.namespaced;
