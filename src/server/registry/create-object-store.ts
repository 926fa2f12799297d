import type { KubeObject } from '../../machinery/meta.ts';
import type { Logger } from '../../machinery/log.ts';
import { apiVersionOf, type ResourceDescriptor } from '../../machinery/resource.ts';
import { alreadyExists, conflict, notFound, requestTooLarge } from '../../machinery/status.ts';
import { boundedKeys } from '../../store/bounded-keys.ts';
import type { KeyValue, Store, StoreError } from '../../store/store.ts';
import { listPage } from './list-page.ts';
import { createObjectCache } from './object-cache.ts';
import type { ObjectFilter, ObjectStore, Preconditions, StoredObject } from './object-store.ts';
import { damaged, guarded, isCorrupt } from './store-errors.ts';
import {
  convertedObject,
  encodeObject,
  LazyObject,
  sameContent,
  storedObject,
} from './stored-object.ts';
import { createWatchCache } from './watch-cache.ts';

/** More than a body may be, for what the server adds. Every watcher takes such an object in one piece. */
const maxStoredBytes = 4 * 1024 * 1024;
/** Room for ten thousand objects of 2 KiB: a list of them is then not unsealed again. */
const cacheBytes = 24 * 1024 * 1024;

type Version = Pick<KeyValue, 'key' | 'value' | 'modRevision'>;

/** The objects of one resource, on the store. */
export function createObjectStore<T extends KubeObject>(
  descriptor: ResourceDescriptor<T>,
  unbounded: Store,
  log?: Logger,
): ObjectStore<T> & { close(): void } {
  // Names and namespaces come from URLs and selectors, of any length.
  const store = boundedKeys(unbounded);
  const { storedAs } = descriptor;
  const { group, plural } = storedAs ?? descriptor;
  const resource = { group: descriptor.group, plural: descriptor.plural };
  const root = `/registry/${group === '' ? 'core' : group}/${plural}/`;
  const keyOf = (namespace: string, name: string): string =>
    descriptor.namespaced ? `${root}${namespace}/${name}` : `${root}${name}`;
  const identityOf = (key: string): { namespace: string; name: string } => {
    const [first = '', second] = key.slice(root.length).split('/');
    return second === undefined
      ? { namespace: '', name: first }
      : { namespace: first, name: second };
  };
  const objects = createObjectCache<T>(cacheBytes);
  const make = (key: string, value: Uint8Array, revision: number): StoredObject<T> => {
    const object = storedObject<T>(identityOf(key), value, revision);
    return storedAs === undefined
      ? object
      : (convertedObject(object, each => storedAs.fromStored(each)) as StoredObject<T>);
  };
  const known = ({ key, modRevision }: Pick<KeyValue, 'key' | 'modRevision'>) =>
    objects.get(key, modRevision);
  // The value is looked at, and thereby unsealed, only where the object is not known.
  const toObject = (kv: Version, from: 'read' | 'write' = 'read'): StoredObject<T> => {
    const found = known(kv);
    if (found !== undefined) return found;
    const object = make(kv.key, kv.value, kv.modRevision);
    objects.put(kv.key, object, from);
    return object;
  };
  /** The damaged version of each key that was reported. */
  const reported = new Map<string, number>();
  const report = ({ key, modRevision }: Version, error: StoreError): void => {
    if (reported.get(key) !== modRevision)
      log?.error('A stored object is damaged', { key, error: error.message });
    reported.set(key, modRevision);
  };
  /** @returns undefined when it is damaged, which is logged once */
  const toObjectIfWhole = (kv: Version, from: 'read' | 'write'): StoredObject<T> | undefined => {
    try {
      return toObject(kv, from);
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      report(kv, error);
      return undefined;
    }
  };
  /** What is left of a damaged object: its name. */
  const nameOnly = (key: string, revision: number): StoredObject<T> => {
    const { namespace, name } = identityOf(key);
    const { kind } = descriptor;
    const metadata = { name, ...(namespace === '' ? {} : { namespace }) };
    const value = JSON.stringify({ kind, apiVersion: apiVersionOf(descriptor), metadata });
    return storedObject<T>({ namespace, name }, Buffer.from(value), revision);
  };
  const asOf = (kv: KeyValue, revision: number): StoredObject<T> => {
    try {
      return make(kv.key, kv.value, revision);
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      return nameOnly(kv.key, revision);
    }
  };
  const toWholeObject = (kv: KeyValue): StoredObject<T> => {
    try {
      return toObject(kv);
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      report(kv, error);
      throw damaged(kv.key, error);
    }
  };
  const toLazyObject = (kv: KeyValue): StoredObject | undefined =>
    reported.get(kv.key) === kv.modRevision
      ? undefined
      : (known(kv) ?? new LazyObject(identityOf(kv.key), kv.modRevision, () => toWholeObject(kv)));
  const encode = (object: T): Buffer => {
    const value = encodeObject(storedAs === undefined ? object : storedAs.toStored(object));
    // Defaults can make an object several times as large as the body that it came in.
    if (value.length > maxStoredBytes) throw requestTooLarge(maxStoredBytes);
    return value;
  };
  const updating = new Map<string, Promise<unknown>>();
  /** Updates of one object one after the other: otherwise each but one of them would be made again and again. */
  const inOrder = async <R>(key: string, update: () => Promise<R>): Promise<R> => {
    const before = updating.get(key) ?? Promise.resolve();
    const own = before.then(update, update);
    updating.set(key, own);
    try {
      return await own;
    } finally {
      if (updating.get(key) === own) updating.delete(key);
    }
  };
  const cache = createWatchCache({
    store,
    root,
    namespaced: descriptor.namespaced,
    identityOf,
    known,
    toObject: kv => toObjectIfWhole(kv, 'write'),
    asOf,
  });

  const find = async (namespace: string, name: string): Promise<KeyValue> => {
    const { kv } = await guarded(() => store.get(keyOf(namespace, name)));
    if (kv === undefined) throw notFound(resource, name);
    return kv;
  };
  const read = async (namespace: string, name: string): Promise<StoredObject<T>> =>
    toWholeObject(await find(namespace, name));

  return {
    get: read,
    async list(request) {
      const { name } = request;
      const isOfOne =
        name !== undefined && (request.namespace !== undefined || !descriptor.namespaced);
      const isOfNow = !request.continue && ['', '0'].includes(request.resourceVersion ?? '');
      if (isOfOne && isOfNow) {
        const { kv, revision } = await guarded(() =>
          store.get(keyOf(request.namespace ?? '', name)),
        );
        const object = kv && toObjectIfWhole(kv, 'read');
        const isWanted = object !== undefined && (request.filter?.(object.object()) ?? true);
        return {
          items: isWanted ? [object] : [],
          damaged: kv !== undefined && object === undefined ? [identityOf(kv.key)] : [],
          resourceVersion: revision,
        };
      }
      const toObject = (kv: KeyValue) => toObjectIfWhole(kv, 'read');
      const source = { store, toObject, toLazyObject, identityOf };
      if (isOfOne) {
        const filter: ObjectFilter = object =>
          object.metadata.name === name && (request.filter?.(object) ?? true);
        // Other names begin with the same characters.
        const prefix = keyOf(request.namespace ?? '', name);
        const page = await listPage({ ...request, filter }, { ...source, prefix });
        return { ...page, damaged: (page.damaged ?? []).filter(each => each.name === name) };
      }
      const prefix = request.namespace === undefined ? root : `${root}${request.namespace}/`;
      return listPage(request, { ...source, prefix });
    },
    async create(object) {
      const { name = '', namespace = '' } = object.metadata;
      const key = keyOf(namespace, name);
      const value = encode(object);
      const result = await guarded(() => store.put(key, value, 0));
      if (!result.ok) throw alreadyExists(resource, name);
      return toObject({ key, value, modRevision: result.revision }, 'write');
    },
    update(namespace, name, change) {
      return this.replace(namespace, name, current => change(structuredClone(current.object())));
    },
    replace(namespace, name, change) {
      const key = keyOf(namespace, name);
      return inOrder(key, async () => {
        for (;;) {
          const current = await read(namespace, name);
          const next = await change(current);
          if (next === undefined) return current;
          const value = encode(next);
          if (sameContent(make(key, value, current.resourceVersion), current)) return current;
          const result = await guarded(() => store.put(key, value, current.resourceVersion));
          if (result.ok) return toObject({ key, value, modRevision: result.revision }, 'write');
        }
      });
    },
    async delete(namespace, name, preconditions) {
      for (;;) {
        const kv = await find(namespace, name);
        const { key, modRevision } = kv;
        const current = toObjectIfWhole(kv, 'read');
        checkPreconditions(descriptor, current ?? nameOnly(key, modRevision), preconditions);
        const result = await guarded(() => store.delete(key, modRevision));
        if (!result.ok) continue;
        objects.drop(key);
        reported.delete(key);
        return current === undefined
          ? nameOnly(key, result.revision)
          : make(key, encode(current.object()), result.revision);
      }
    },
    watch: (request, sink, signal) => cache.watch(request, sink, signal),
    close: () => cache.close(),
  };
}

/** @throws StatusError Conflict, in Kubernetes' words: they name the kind here, not the resource */
export function checkPreconditions(
  { group, kind }: Pick<ResourceDescriptor, 'group' | 'kind'>,
  current: StoredObject,
  { uid, resourceVersion }: Preconditions = {},
): void {
  const refused = (detail: string) => conflict({ group, plural: kind }, current.name, detail);
  const recordedUid = current.object().metadata.uid ?? '';
  if (uid !== undefined && uid !== recordedUid) {
    throw refused(
      `the UID in the precondition (${uid}) does not match the UID in record (${recordedUid}). The object might have been deleted and then recreated`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== String(current.resourceVersion)) {
    throw refused(
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${current.resourceVersion}). The object might have been modified`,
    );
  }
}
