import { resources } from '../../api/index.ts';
import type { Node } from '../../api/core/v1/node.ts';
import { podResource, type Pod } from '../../api/core/v1/pod.ts';
import type { KubeClient } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { createInformer, type Informer } from '../../client/informer.ts';
import type { Logger } from '../../machinery/log.ts';
import type { KubeObject } from '../../machinery/meta.ts';
import { apiVersionOf } from '../../machinery/resource.ts';
import { absent, isStatusError } from '../../machinery/status.ts';
import { createWorkQueue, type WorkQueue } from '../../machinery/work-queue.ts';
import { createEndingOwners, isEndingOwner } from './ending-owners.ts';
import { createInvalidOwners } from './invalid-owners.ts';

/** Deletes objects whose owners are all gone, lets owners end as was asked, and ends pods whose node is gone. */
export function startGarbageCollector({
  client,
  pods,
  nodes,
  recorder,
  signal,
  log,
}: {
  readonly client: KubeClient;
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
  readonly recorder: EventRecorder;
  readonly signal: AbortSignal;
  readonly log: Logger;
}): WorkQueue {
  const owned = resources.filter(
    each =>
      each.stored &&
      each.storedAs === undefined &&
      each.verbs.includes('delete') &&
      each.kind !== 'Event' &&
      each.kind !== 'Pod' &&
      each.kind !== 'Lease',
  );
  const informers = new Map<string, Informer<KubeObject>>(
    owned.map(each => [each.plural, createInformer(client.metadata(each), { signal, log })]),
  );
  informers.set('pods', pods);

  const ownerLives = async (
    dependent: KubeObject,
    owner: NonNullable<KubeObject['metadata']['ownerReferences']>[number],
  ): Promise<boolean> => {
    const resource = resources.find(
      each => each.kind === owner.kind && apiVersionOf(each) === owner.apiVersion,
    );
    // Of a kind that is not served here nothing is known: the dependent stays.
    if (resource === undefined) return true;
    // An object of no namespace cannot have an owner in one: nothing can be concluded from it.
    if (resource.namespaced && !dependent.metadata.namespace) return true;
    const namespace = resource.namespaced ? (dependent.metadata.namespace ?? '') : '';
    const cached = informers.get(resource.plural)?.get(namespace, owner.name);
    if (cached?.metadata.uid === owner.uid) return true;
    try {
      // The cache may be behind: the API has the last word.
      return (
        (await client.resource(resource).get(namespace, owner.name)).metadata.uid === owner.uid
      );
    } catch (error) {
      if (isStatusError(error, 'NotFound')) return false;
      throw error;
    }
  };

  const invalidOwners = createInvalidOwners(recorder);
  const endingOwners = createEndingOwners({
    client,
    owned: resources.filter(each => informers.has(each.plural) && each.storedAs === undefined),
    ownerLives,
  });
  const allSynced = Promise.all([...informers.values()].map(each => each.synced));
  const queue = createWorkQueue({
    async work(key) {
      // Before, an owner may seem to be nowhere.
      await allSynced;
      const [plural = '', namespace = '', name = ''] = key.split('/');
      const object = informers.get(plural)?.get(namespace, name);
      const owners = object?.metadata.ownerReferences ?? [];
      const resource = resources.find(each => each.plural === plural);
      if (object === undefined || resource === undefined) return;
      if (isEndingOwner(object)) await endingOwners.work(object, resource);
      if (owners.length === 0) return;
      invalidOwners.report(object, resource);
      // One after the other, and each once: there may be thousands.
      const asked = new Set<string>();
      for (const owner of owners) {
        const identity = `${owner.apiVersion} ${owner.kind} ${owner.name} ${owner.uid}`;
        if (asked.has(identity)) continue;
        asked.add(identity);
        if (await ownerLives(object, owner)) return;
      }
      await client
        .resource(resource)
        .delete(namespace, name, { uid: object.metadata.uid ?? '' })
        .catch(absent);
    },
    onError: (object, error) => log.warn('Garbage stays', { object, error: String(error) }),
  });
  const keyOf = (plural: string, { metadata }: KubeObject): string =>
    `${plural}/${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
  for (const [plural, informer] of informers) {
    informer.onChange(({ type, object }) => {
      if (type === 'deleted') invalidOwners.forget(object);
      else invalidOwners.know(object);
      if (type !== 'deleted') {
        if ((object.metadata.ownerReferences ?? []).length > 0 || isEndingOwner(object))
          queue.add(keyOf(plural, object));
        return;
      }
      const owners = new Set((object.metadata.ownerReferences ?? []).map(({ uid }) => uid));
      for (const [of, others] of informers) {
        for (const each of others.list()) {
          const isDependent = (each.metadata.ownerReferences ?? []).some(
            owner => owner.uid === object.metadata.uid,
          );
          const waitsForIt = owners.has(each.metadata.uid ?? '') && isEndingOwner(each);
          if (isDependent || waitsForIt) queue.add(keyOf(of, each));
        }
      }
    });
  }
  // What was on a node that is no more cannot end by itself.
  nodes.onChange(({ type, object }) => {
    if (type !== 'deleted') return;
    for (const pod of pods.list()) {
      if (pod.spec.nodeName !== object.metadata.name) continue;
      const { namespace = '', name = '' } = pod.metadata;
      client
        .resource(podResource)
        .delete(namespace, name, { gracePeriodSeconds: 0 })
        .catch(absent)
        .catch((error: unknown) =>
          log.warn('A pod of a lost node stays', { pod: name, error: String(error) }),
        );
    }
  });
  return queue;
}
