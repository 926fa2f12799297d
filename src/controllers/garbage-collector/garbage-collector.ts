import type { KubeClient } from '../../client/client.ts';
import type { Informer } from '../../client/informer.ts';
import { listPages } from '../../client/list-pages.ts';
import { createRecent } from '../../client/recent.ts';
import type { KubeObject, OwnerReference } from '../../machinery/meta.ts';
import { apiVersionOf, type ResourceDescriptor } from '../../machinery/resource.ts';
import { absent, isStatusError } from '../../machinery/status.ts';
import { createWorkQueue } from '../../machinery/work-queue.ts';
import type { Controller } from '../controller.ts';
import { followResources } from '../follow-resources.ts';
import { createInvalidOwners } from './invalid-owners.ts';
import { createOwnerDeletion, removeOwnerReferences } from './owner-deletion.ts';
import {
  createOwnerGraph,
  foregroundFinalizer,
  hasFinalizer,
  isBeingDeleted,
  orphanFinalizer,
  ownersOf,
  waitsForDependents,
  type GraphObject,
} from './owner-graph.ts';

/** UIDs are never used again: an owner that was not found once never comes back. */
const maxAbsentOwners = 4096;
/** Owners of one kind that are asked for one by one, for each object. */
const maxSingleLookups = 8;
/** No object has a longer name or UID. */
const maxIdentityLength = 1536;

/** Deletes objects whose owners are all gone, and completes deletions in the foreground and with orphans. */
export const garbageCollector: Controller = {
  name: 'generic-garbage-collector',
  start({ client, resources, informers, recorder, log }) {
    const graph = createOwnerGraph();
    const invalidOwners = createInvalidOwners(recorder('garbage-collector-controller'), graph);
    const sources = new Map<ResourceDescriptor, Informer<KubeObject>>();
    const kinds = new Map<string, ResourceDescriptor>();
    let synced: Promise<unknown> = Promise.resolve();
    const resourceOf: OwnerResource = ({ kind, apiVersion }) => kinds.get(`${apiVersion} ${kind}`);

    const ownerLookup = createOwnerLookup(client, resourceOf);

    const queue = createWorkQueue({
      async work(uid) {
        await synced;
        const object = graph.get(uid);
        if (object === undefined) return;
        if (isBeingDeleted(object)) return ownerDeletion.process(object);
        await deleteIfGarbage(object);
      },
      onError: (uid, error) => {
        const { resource, metadata } = graph.get(uid) ?? {};
        log.warn('Garbage collection failed', {
          resource: resource?.plural,
          namespace: metadata?.namespace,
          name: metadata?.name,
          error: String(error),
        });
      },
    });
    const enqueue = ({ metadata }: GraphObject): void => queue.add(metadata.uid ?? '');
    const ownerDeletion = createOwnerDeletion({ client, graph, enqueue });

    /** Sorts the owners of an object as Kubernetes' `classifyReferences` does. */
    const classifyOwners = async (object: GraphObject) => {
      const gone: string[] = [];
      const waiting: string[] = [];
      let hasOrphaned = false;
      let hasLiving = false;
      const isAbsent = ownerLookup(object);
      for (const owner of ownersOf(object)) {
        const known = graph.get(owner.uid);
        const isKnown =
          known !== undefined &&
          known.resource === resourceOf(owner) &&
          isOwner(known, owner, object);
        if (isKnown) {
          if (waitsForDependents(known)) waiting.push(owner.uid);
          else hasLiving = true;
        } else if (await isAbsent(owner)) {
          gone.push(owner.uid);
          hasOrphaned ||= ownerDeletion.wasOrphaned(owner.uid);
        } else hasLiving = true;
      }
      return { gone, waiting, hasOrphaned, hasLiving };
    };

    const deleteIfGarbage = async (object: GraphObject): Promise<void> => {
      if (ownersOf(object).length === 0) return;
      invalidOwners.report(object);
      const { gone, waiting, hasOrphaned, hasLiving } = await classifyOwners(object);
      if (hasLiving || hasOrphaned) {
        const superfluous = [...gone, ...waiting];
        if (superfluous.length > 0) await removeOwnerReferences(client, object, superfluous);
        return;
      }
      const { uid = '', resourceVersion = '', namespace = '', name = '' } = object.metadata;
      const dependents = waiting.length > 0 ? graph.dependentsOf(uid) : [];
      // Owners that wait for each other in a circle would wait for ever.
      if (dependents.some(waitsForDependents)) await unblockOwners(client, object);
      await client
        .metadata(object.resource)
        .delete(namespace, name, {
          uid,
          // Whoever changed its owners meanwhile decides anew.
          ...(dependents.some(waitsForDependents) ? {} : { resourceVersion }),
          propagationPolicy: dependents.length > 0 ? 'Foreground' : defaultPolicyOf(object),
        })
        .catch(absent);
    };

    const follow = (resource: ResourceDescriptor, informer: Informer<KubeObject>): void =>
      informer.onChange(({ type, object: { metadata } }) => {
        const { uid = '' } = metadata;
        const object = { resource, metadata };
        if (type !== 'deleted') {
          const before = graph.get(uid);
          graph.put(object);
          if (needsWork(object, before)) queue.add(uid);
          return;
        }
        graph.remove(uid);
        invalidOwners.forget(uid);
        for (const dependent of graph.dependentsOf(uid)) enqueue(dependent);
        for (const { uid: ownerUid } of ownersOf(object)) {
          const owner = graph.get(ownerUid);
          if (owner !== undefined && waitsForDependents(owner) && !graph.isBlocked(ownerUid))
            enqueue(owner);
        }
      });
    followResources(resources, {
      added(resource) {
        for (const kind of kindsOf(resource)) kinds.set(kind, resource);
        if (!canBeGarbage(resource)) return;
        const informer = informers.metadata(resource);
        sources.set(resource, informer);
        follow(resource, informer);
        synced = Promise.all([synced, informer.synced]);
      },
      removed(resource) {
        for (const kind of kindsOf(resource)) kinds.delete(kind);
        for (const { metadata } of sources.get(resource)?.list() ?? [])
          graph.remove(metadata.uid ?? '');
        sources.delete(resource);
      },
    });
    return queue;
  },
};

/** Of all changes only those of owners and finalizers, and the beginning of a deletion, can make garbage. */
function needsWork(object: GraphObject, before: GraphObject | undefined): boolean {
  if (isBeingDeleted(object))
    return waitsForDependents(object) || hasFinalizer(object, orphanFinalizer);
  const owners = ownersOf(object);
  if (owners.length === 0) return false;
  const known = new Set(ownersOf(before).map(({ uid }) => uid));
  return before === undefined || owners.some(({ uid }) => !known.has(uid));
}

/** The resource that an owner reference names; undefined where nothing of the kind is served. */
type OwnerResource = (
  owner: Pick<OwnerReference, 'kind' | 'apiVersion'>,
) => ResourceDescriptor | undefined;

/** `apiVersion kind` in each version. */
const kindsOf = (resource: ResourceDescriptor): string[] =>
  [resource, ...(resource.otherVersions ?? [])].map(
    ({ version }) => `${apiVersionOf({ group: resource.group, version })} ${resource.kind}`,
  );

/** What expires by itself is no garbage: events. */
const canBeGarbage = (resource: ResourceDescriptor): boolean =>
  resource.stored &&
  resource.storedAs === undefined &&
  resource.verbs.includes('delete') &&
  resource.verbs.includes('watch') &&
  resource.ttlSeconds === undefined;

/** Whether this object is the one that the reference of the dependent names. */
function isOwner(
  { resource, metadata }: GraphObject,
  reference: OwnerReference,
  dependent: GraphObject,
): boolean {
  return (
    metadata.name === reference.name &&
    (!resource.namespaced || metadata.namespace === dependent.metadata.namespace)
  );
}

/**
 * Asks the API whether owners that no informer knows are really absent: one by one, and where an object names many
 * of a kind by one list of that kind.
 */
function createOwnerLookup(client: KubeClient, resourceOf: OwnerResource) {
  const absentOwners = createRecent<true>(maxAbsentOwners);
  const exists = async (
    resource: ResourceDescriptor,
    scope: string,
    { name, uid }: OwnerReference,
  ): Promise<boolean> => {
    try {
      return (await client.metadata(resource).get(scope, name)).metadata.uid === uid;
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
      return false;
    }
  };
  const uidsOf = async (resource: ResourceDescriptor, scope: string): Promise<Set<string>> => {
    const uids = new Set<string>();
    const within = scope === '' ? {} : { namespace: scope };
    for await (const { items } of listPages(client.metadata(resource), within))
      for (const { metadata } of items) uids.add(metadata.uid ?? '');
    return uids;
  };
  /** For the owners of one object. */
  return (dependent: GraphObject) => {
    const asked = new Map<ResourceDescriptor, number>();
    const lists = new Map<ResourceDescriptor, Promise<Set<string>>>();
    return async (owner: OwnerReference): Promise<boolean> => {
      const resource = resourceOf(owner);
      // Nothing is known about kinds that are not served: the dependent stays.
      if (resource === undefined) return false;
      const { namespace = '' } = dependent.metadata;
      // A cluster-scoped object cannot have an owner in a namespace: the reference says nothing.
      if (resource.namespaced && namespace === '') return false;
      // A client may have written anything: it is neither asked for nor remembered.
      if (Math.max(owner.name.length, owner.uid.length) > maxIdentityLength) return true;
      const scope = resource.namespaced ? namespace : '';
      const key = [owner.apiVersion, owner.kind, scope, owner.name, owner.uid].join('\n');
      if (absentOwners.get(key) !== undefined) return true;
      const count = (asked.get(resource) ?? 0) + 1;
      asked.set(resource, count);
      if (count > maxSingleLookups) {
        const list = lists.get(resource) ?? uidsOf(resource, scope);
        lists.set(resource, list);
        return !(await list).has(owner.uid);
      }
      if (await exists(resource, scope, owner)) return false;
      absentOwners.set(key, true);
      return true;
    };
  };
}

async function unblockOwners(
  client: KubeClient,
  { resource, metadata }: GraphObject,
): Promise<void> {
  const { namespace = '', name = '', uid, ownerReferences = [] } = metadata;
  await client
    .metadata(resource)
    .patch(namespace, name, 'strategic', {
      metadata: {
        uid,
        ownerReferences: ownerReferences.map(each => ({ ...each, blockOwnerDeletion: false })),
      },
    })
    .catch(absent);
}

/** What the object's own finalizers already ask for its dependents. */
function defaultPolicyOf(object: GraphObject): 'Background' | 'Foreground' | 'Orphan' {
  if (hasFinalizer(object, orphanFinalizer)) return 'Orphan';
  return hasFinalizer(object, foregroundFinalizer) ? 'Foreground' : 'Background';
}
