import type { KubeClient } from '../../client/client.ts';
import { listPages } from '../../client/list-pages.ts';
import { forEachAtOnce } from '../../machinery/for-each-at-once.ts';
import type { ResourceDescriptor } from '../../machinery/resource.ts';
import { absent } from '../../machinery/status.ts';

/** What is left of a namespace's contents after all of it was asked to go. */
export interface NamespaceContents {
  /** Objects that still exist, by `plural.group`. */
  readonly remaining: ReadonlyMap<string, number>;
  /** Objects that a finalizer holds, by finalizer. */
  readonly finalizers: ReadonlyMap<string, number>;
  /** Why resources could not be deleted, one text a resource. */
  readonly errors: readonly string[];
}

const deletesAtOnce = 8;

/**
 * Deletes all objects of a namespace, one resource after the other. Pods go first, and all else stays
 * until they are gone (KEP-5080), since they may use it until their end.
 */
export async function deleteContents(
  client: KubeClient,
  namespace: string,
  resources: readonly ResourceDescriptor[],
): Promise<NamespaceContents> {
  const remaining = new Map<string, number>();
  const finalizers = new Map<string, number>();
  const errors: string[] = [];
  const endsGracefully = (each: ResourceDescriptor): boolean =>
    each.gracePeriodSeconds !== undefined;
  const stages = [
    resources.filter(endsGracefully),
    resources.filter(each => !endsGracefully(each)),
  ];
  for (const stage of stages) {
    for (const resource of stage) {
      try {
        await deleteEach(client, namespace, resource);
        const left = await countRemaining(client, namespace, resource, finalizers);
        if (left.count > 0) remaining.set(`${resource.plural}.${resource.group}`, left.count);
        if (left.unexplained)
          errors.push(
            `unexpected items still remain in namespace: ${namespace} for gvr: ${resource.group}/${resource.version}, Resource=${resource.plural}`,
          );
        // Lists leave out objects that the server cannot read; collections are deleted with them.
        if (left.count === 0 && resource.verbs.includes('deletecollection'))
          await client.metadata(resource).deleteCollection({ namespace });
      } catch (error) {
        errors.push((error as Error).message);
      }
    }
    if (remaining.size > 0 || errors.length > 0) break;
  }
  return { remaining, finalizers, errors };
}

async function deleteEach(
  client: KubeClient,
  namespace: string,
  resource: ResourceDescriptor,
): Promise<void> {
  const objects = client.metadata(resource);
  for await (const { items } of listPages(objects, { namespace })) {
    const undeleted = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    await forEachAtOnce(deletesAtOnce, undeleted, ({ metadata: { name = '', uid = '' } }) =>
      objects.delete(namespace, name, { uid, propagationPolicy: 'Background' }).catch(absent),
    );
  }
}

async function countRemaining(
  client: KubeClient,
  namespace: string,
  resource: ResourceDescriptor,
  finalizers: Map<string, number>,
): Promise<{ count: number; unexplained: boolean }> {
  let count = 0;
  let explained = resource.gracePeriodSeconds !== undefined;
  for await (const { items } of listPages(client.metadata(resource), { namespace })) {
    count += items.length;
    for (const { metadata } of items) {
      for (const finalizer of metadata.finalizers ?? []) {
        finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1);
        explained = true;
      }
    }
  }
  return { count, unexplained: count > 0 && !explained };
}
