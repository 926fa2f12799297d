import type { KubeClient } from '../../client/client.ts';
import type { KubeObject } from '../../machinery/meta.ts';
import type { ResourceDescriptor } from '../../machinery/resource.ts';
import { absent } from '../../machinery/status.ts';

type Owner = NonNullable<KubeObject['metadata']['ownerReferences']>[number];

export interface EndingOwnersOptions {
  readonly client: KubeClient;
  /** The resources whose objects may belong to others. */
  readonly owned: readonly ResourceDescriptor[];
  ownerLives(dependent: KubeObject, owner: Owner): Promise<boolean>;
}

/**
 * What `propagationPolicy` asks for: an object that ends with the finalizer `orphan` lets go of its
 * dependents, with `foregroundDeletion` it waits until those that block it have gone. Dependents are
 * asked of the API: one that a cache does not know yet would be lost.
 */
export function createEndingOwners({ client, owned, ownerLives }: EndingOwnersOptions): {
  work(object: KubeObject, resource: ResourceDescriptor): Promise<void>;
} {
  const dependentsOf = async (
    { metadata: { uid, namespace } }: KubeObject,
    { namespaced }: ResourceDescriptor,
  ) => {
    const lists = await Promise.all(
      owned
        .filter(each => each.namespaced || !namespaced)
        .map(async resource => ({
          resource,
          list: await client
            .metadata(resource)
            .list(namespaced && namespace !== undefined ? { namespace } : {}),
        })),
    );
    return lists.flatMap(({ resource, list }) =>
      list.items.flatMap(object => {
        const owner = object.metadata.ownerReferences?.find(each => each.uid === uid);
        return owner === undefined ? [] : [{ resource, object, owner }];
      }),
    );
  };
  type Dependent = Awaited<ReturnType<typeof dependentsOf>>[number];

  const letGo = ({ resource, object: { metadata }, owner }: Dependent): Promise<unknown> =>
    client
      .resource(resource)
      .patch(metadata.namespace ?? '', metadata.name ?? '', 'strategic', {
        metadata: {
          uid: metadata.uid,
          ownerReferences: [{ $patch: 'delete', uid: owner.uid }],
        },
      })
      .catch(absent);

  const end = async (dependent: Dependent): Promise<void> => {
    const { resource, object, owner } = dependent;
    const { metadata } = object;
    if (metadata.deletionTimestamp !== undefined) return;
    const others = (metadata.ownerReferences ?? []).filter(each => each.uid !== owner.uid);
    const alive = await Promise.all(others.map(each => ownerLives(object, each)));
    if (alive.some(Boolean)) {
      await letGo(dependent);
      return;
    }
    await client
      .resource(resource)
      .delete(metadata.namespace ?? '', metadata.name ?? '', {
        uid: metadata.uid ?? '',
        propagationPolicy: 'Background',
      })
      .catch(absent);
  };

  const release = async (
    { metadata: { namespace = '', name = '' } }: KubeObject,
    resource: ResourceDescriptor,
    finalizer: string,
  ): Promise<void> => {
    const objects = client.resource(resource);
    try {
      const { metadata } = await objects.get(namespace, name);
      await objects.patch(namespace, name, 'merge', {
        metadata: {
          resourceVersion: metadata.resourceVersion,
          finalizers: (metadata.finalizers ?? []).filter(each => each !== finalizer),
        },
      });
    } catch (error) {
      absent(error);
    }
  };

  return {
    async work(object, resource) {
      const { finalizers = [] } = object.metadata;
      if (finalizers.includes('orphan')) {
        await Promise.all((await dependentsOf(object, resource)).map(letGo));
        await release(object, resource, 'orphan');
      }
      if (finalizers.includes('foregroundDeletion')) {
        await Promise.all((await dependentsOf(object, resource)).map(end));
        const left = await dependentsOf(object, resource);
        if (left.some(({ owner }) => owner.blockOwnerDeletion === true)) return;
        await release(object, resource, 'foregroundDeletion');
      }
    },
  };
}

export const isEndingOwner = ({ metadata }: KubeObject): boolean =>
  metadata.deletionTimestamp !== undefined &&
  (metadata.finalizers ?? []).some(each => each === 'orphan' || each === 'foregroundDeletion');
