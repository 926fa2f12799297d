import type { KubeClient } from '../../client/client.ts';
import { createRecent } from '../../client/recent.ts';
import { absent } from '../../machinery/status.ts';
import {
  foregroundFinalizer,
  hasFinalizer,
  orphanFinalizer,
  waitsForDependents,
  type GraphObject,
  type OwnerGraph,
} from './owner-graph.ts';

/** Owners whose dependents were orphaned a short while ago. */
const maxOrphaned = 4096;

export interface OwnerDeletion {
  /** What `propagationPolicy` asks for an owner that is being deleted. */
  process(owner: GraphObject): Promise<void>;
  /** Whether the dependents of this owner were orphaned: one that is noticed late is no garbage. */
  wasOrphaned(ownerUid: string): boolean;
}

export interface OwnerDeletionOptions {
  readonly client: KubeClient;
  readonly graph: OwnerGraph;
  /** Has a dependent looked at. */
  enqueue(object: GraphObject): void;
}

/**
 * An object that is being deleted with the finalizer `orphan` is removed from the owner references of
 * its dependents; with `foregroundDeletion` it waits until those that block it are gone.
 */
export function createOwnerDeletion({
  client,
  graph,
  enqueue,
}: OwnerDeletionOptions): OwnerDeletion {
  const orphaned = createRecent<true>(maxOrphaned);

  const removeFinalizer = async (
    { resource, metadata: { namespace = '', name = '', uid } }: GraphObject,
    finalizer: string,
  ): Promise<void> => {
    const objects = client.metadata(resource);
    try {
      const { metadata } = await objects.get(namespace, name);
      if (metadata.uid !== uid || !metadata.finalizers?.includes(finalizer)) return;
      await objects.patch(namespace, name, 'merge', {
        metadata: {
          resourceVersion: metadata.resourceVersion,
          finalizers: metadata.finalizers.filter(each => each !== finalizer),
        },
      });
    } catch (error) {
      absent(error);
    }
  };

  return {
    wasOrphaned: uid => orphaned.get(uid) ?? false,
    async process(owner) {
      const { uid = '' } = owner.metadata;
      if (hasFinalizer(owner, orphanFinalizer)) {
        orphaned.set(uid, true);
        for (const dependent of graph.dependentsOf(uid))
          await removeOwnerReferences(client, dependent, [uid]);
        await removeFinalizer(owner, orphanFinalizer);
      }
      if (hasFinalizer(owner, foregroundFinalizer)) {
        if (!graph.isBlocked(uid)) return removeFinalizer(owner, foregroundFinalizer);
        for (const dependent of graph.dependentsOf(uid))
          if (!waitsForDependents(dependent)) enqueue(dependent);
      }
    },
  };
}

export async function removeOwnerReferences(
  client: KubeClient,
  { resource, metadata: { namespace = '', name = '', uid } }: GraphObject,
  owners: readonly string[],
): Promise<void> {
  const ownerReferences = owners.map(owner => ({ $patch: 'delete', uid: owner }));
  await client
    .metadata(resource)
    .patch(namespace, name, 'strategic', { metadata: { uid, ownerReferences } })
    .catch(absent);
}
