import { resources } from '../../api/index.ts';
import { namespaceResource, type Namespace } from '../../api/core/v1/namespace.ts';
import type { KubeClient } from '../../client/client.ts';
import type { Informer } from '../../client/informer.ts';
import type { Logger } from '../../machinery/log.ts';
import { absent } from '../../machinery/status.ts';
import { createWorkQueue, type WorkQueue } from '../../machinery/work-queue.ts';

/** How soon an ending namespace with objects that end slowly is looked at again. */
const againMs = 100;

/** Empties namespaces that are to be deleted, then lets them go. */
export function startNamespaceDeletion({
  client,
  namespaces,
  log,
}: {
  readonly client: KubeClient;
  readonly namespaces: Informer<Namespace>;
  readonly log: Logger;
}): WorkQueue {
  const contents = resources.filter(
    each =>
      each.namespaced &&
      each.stored &&
      each.storedAs === undefined &&
      each.verbs.includes('delete'),
  );
  /** @returns how many objects are still there */
  const empty = async (namespace: string): Promise<number> => {
    let left = 0;
    for (const resource of contents) {
      const objects = client.resource(resource);
      const { items } = await objects.list({ namespace });
      for (const { metadata } of items) {
        left += 1;
        if (metadata.deletionTimestamp !== undefined) continue;
        await objects.delete(namespace, metadata.name ?? '').catch(absent);
      }
    }
    return left;
  };
  /** Lists leave out what the server cannot read: collections are deleted with that too. */
  const sweep = async (namespace: string): Promise<void> => {
    for (const { group, version, plural, verbs } of contents) {
      if (!verbs.includes('deletecollection')) continue;
      const root = group === '' ? '/api' : `/apis/${group}`;
      await client.raw('DELETE', `${root}/${version}/namespaces/${namespace}/${plural}`);
    }
  };
  const queue = createWorkQueue({
    async work(name) {
      const namespace = namespaces.get('', name);
      if (namespace?.metadata.deletionTimestamp === undefined) return;
      // Deleted ones are counted too: the next look has to find none.
      if ((await empty(name)) > 0 && (await empty(name)) > 0) {
        queue.addAfter(name, againMs);
        return;
      }
      await sweep(name);
      const finalizers = (namespace.spec?.finalizers ?? []).filter(each => each !== 'kubernetes');
      await client.raw('PUT', `/api/v1/namespaces/${name}/finalize`, {
        apiVersion: 'v1',
        kind: namespaceResource.kind,
        metadata: { name },
        spec: { finalizers },
      });
    },
    onError: (namespace, error) =>
      log.warn('A namespace was not emptied', { namespace, error: String(error) }),
  });
  namespaces.onChange(({ object }) => {
    if (object.metadata.deletionTimestamp !== undefined) queue.add(object.metadata.name ?? '');
  });
  return queue;
}
