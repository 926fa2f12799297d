import { namespaceResource, type Namespace } from '../../api/core/v1/namespace.ts';
import { createBackoff } from '../../machinery/backoff.ts';
import type { ResourceDescriptor } from '../../machinery/resource.ts';
import { absent, isStatusError } from '../../machinery/status.ts';
import { timestamp } from '../../machinery/timestamp.ts';
import { createWorkQueue } from '../../machinery/work-queue.ts';
import type { Controller } from '../controller.ts';
import { followResources } from '../follow-resources.ts';
import { namespaceConditions } from './conditions.ts';
import { deleteContents, type NamespaceContents } from './delete-contents.ts';

const kubernetesFinalizer = 'kubernetes';

/** Deletes the contents of namespaces that are being deleted, then finalizes them. */
export const namespaceDeletion: Controller = {
  name: 'namespace-controller',
  start({ client, resources, informers, log }) {
    const namespaces = client.resource(namespaceResource);
    /** How many objects each namespace waits for that have finalizers or end gracefully. */
    const waitingFor = new Map<string, number>();
    // Only a safety net: the deletion of the last object wakes the namespace.
    const recheck = createBackoff({ initialMs: 100, maxMs: 15_000 });

    /** @returns the namespace as it is afterwards */
    const updateConditions = async (
      namespace: Namespace,
      contents: NamespaceContents,
    ): Promise<Namespace> => {
      const { conditions = [] } = namespace.status ?? {};
      const changed = namespaceConditions(conditions, contents, timestamp());
      if (changed === undefined) return namespace;
      try {
        return await namespaces.updateStatus({
          ...namespace,
          status: { ...namespace.status, phase: 'Terminating', conditions: changed },
        });
      } catch (error) {
        // Conditions only inform: the next look sets them.
        if (!isStatusError(error, 'Conflict') && !isStatusError(error, 'NotFound')) throw error;
        return namespace;
      }
    };

    const queue = createWorkQueue({
      async work(name) {
        // Asked of the API: a new namespace of the same name must not be emptied.
        const namespace = await namespaces.get('', name).catch(absent);
        if (namespace?.metadata.deletionTimestamp === undefined) {
          waitingFor.delete(name);
          recheck.reset(name);
          return;
        }
        const { finalizers = [] } = namespace.spec ?? {};
        if (!finalizers.includes(kubernetesFinalizer)) return;
        const contents = await deleteContents(
          client,
          name,
          resources.descriptors().filter(isContained),
        );
        const current = await updateConditions(namespace, contents);
        if (contents.errors.length > 0) throw new Error(contents.errors.join(', '));
        if (contents.remaining.size > 0) {
          waitingFor.set(
            name,
            [...contents.remaining.values()].reduce((sum, each) => sum + each, 0),
          );
          queue.addAfter(name, recheck.next(name));
          return;
        }
        const others = finalizers.filter(each => each !== kubernetesFinalizer);
        await namespaces
          .updateSubresource({ ...current, spec: { finalizers: others } }, 'finalize')
          .catch(absent);
        waitingFor.delete(name);
        recheck.reset(name);
      },
      onError: (namespace, error) =>
        log.warn('Namespace deletion failed', { namespace, error: String(error) }),
    });

    informers.of(namespaceResource).onChange(change => {
      if (change.object.metadata.deletionTimestamp === undefined) return;
      const isNew =
        change.type === 'added' ||
        (change.type === 'updated' && change.old.metadata.deletionTimestamp === undefined);
      if (isNew) queue.add(change.object.metadata.name ?? '');
    });
    followResources(resources, {
      added(resource) {
        // What expires by itself never keeps a namespace waiting: events.
        if (!isContained(resource) || resource.ttlSeconds !== undefined) return;
        informers.metadata(resource).onChange(({ type, object: { metadata } }) => {
          const { namespace = '' } = metadata;
          const count = waitingFor.get(namespace);
          if (type !== 'deleted' || count === undefined) return;
          waitingFor.set(namespace, count - 1);
          if (count <= 1) queue.add(namespace);
        });
      },
    });
    return queue;
  },
};

/** Whether a namespace has such objects that have to be deleted. */
const isContained = ({ namespaced, stored, storedAs, verbs }: ResourceDescriptor): boolean =>
  namespaced && stored && storedAs === undefined && verbs.includes('delete');
