import type { KubeObject, OwnerReference } from '../../machinery/meta.ts';
import type { ResourceDescriptor } from '../../machinery/resource.ts';

/** What the garbage collector knows of an object. */
export interface GraphObject {
  readonly resource: ResourceDescriptor;
  readonly metadata: KubeObject['metadata'];
}

/** Objects by UID, and who depends on whom. Each question costs no more than its answer is long. */
export interface OwnerGraph {
  put(object: GraphObject): void;
  remove(uid: string): void;
  get(uid: string): GraphObject | undefined;
  dependentsOf(uid: string): readonly GraphObject[];
  /** Whether a dependent is left that has `blockOwnerDeletion`. */
  isBlocked(uid: string): boolean;
}

export function createOwnerGraph(): OwnerGraph {
  const objects = new Map<string, GraphObject>();
  /** Owner to dependents: those that block its deletion, and all the others. */
  const blocking = new Map<string, Set<string>>();
  const others = new Map<string, Set<string>>();
  const edgesOf = ({ blockOwnerDeletion }: OwnerReference) =>
    blockOwnerDeletion === true ? blocking : others;

  const unlink = (uid: string): void => {
    for (const owner of ownersOf(objects.get(uid))) {
      const edges = edgesOf(owner);
      const dependents = edges.get(owner.uid);
      dependents?.delete(uid);
      if (dependents?.size === 0) edges.delete(owner.uid);
    }
  };
  return {
    put(object) {
      const { uid = '' } = object.metadata;
      unlink(uid);
      objects.set(uid, object);
      for (const owner of ownersOf(object)) {
        const edges = edgesOf(owner);
        const dependents = edges.get(owner.uid) ?? new Set<string>();
        edges.set(owner.uid, dependents.add(uid));
      }
    },
    remove(uid) {
      unlink(uid);
      objects.delete(uid);
    },
    get: uid => objects.get(uid),
    dependentsOf: uid =>
      [...new Set([...(blocking.get(uid) ?? []), ...(others.get(uid) ?? [])])].flatMap(
        dependent => objects.get(dependent) ?? [],
      ),
    isBlocked: uid => blocking.has(uid),
  };
}

export const ownersOf = (object: GraphObject | undefined): readonly OwnerReference[] =>
  object?.metadata.ownerReferences ?? [];

export const isBeingDeleted = ({ metadata }: GraphObject): boolean =>
  metadata.deletionTimestamp !== undefined;

export const hasFinalizer = ({ metadata }: GraphObject, finalizer: string): boolean =>
  metadata.finalizers?.includes(finalizer) ?? false;

/** Deleted in the foreground: it waits for its dependents. */
export const waitsForDependents = (object: GraphObject): boolean =>
  isBeingDeleted(object) && hasFinalizer(object, foregroundFinalizer);

export const foregroundFinalizer = 'foregroundDeletion';
export const orphanFinalizer = 'orphan';
