import type { KubeObject } from '../../machinery/meta.ts';
import type { ResourceDescriptor } from '../../machinery/resource.ts';
import {
  alreadyExists,
  conflict,
  expired,
  modified,
  notFound,
  serviceUnavailable,
  type StatusError,
} from '../../machinery/status.ts';
import { StoreError, type KeyValue, type Store } from '../../store/store.ts';
import { decodeContinue, encodeContinue } from './continue-token.ts';
import type {
  ListPage,
  ListRequest,
  ObjectStore,
  Preconditions,
  StoredObject,
} from './object-store.ts';
import { convertedObject, encodeObject, storedObject } from './stored-object.ts';
import { tooLarge } from './too-large.ts';
import { createWatchCache } from './watch-cache.ts';

/** The objects of one resource, on the store. */
export function createObjectStore<T extends KubeObject>(
  descriptor: ResourceDescriptor<T>,
  store: Store,
): ObjectStore<T> & { close(): void } {
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
  const served = (key: string, value: Uint8Array, revision: number): StoredObject<T> => {
    const object = storedObject<T>(identityOf(key), value, revision);
    return storedAs === undefined
      ? object
      : (convertedObject(object, each => storedAs.fromStored(each)) as StoredObject<T>);
  };
  const toObject = (kv: KeyValue): StoredObject<T> => served(kv.key, kv.value, kv.modRevision);
  const encode = (object: T): Buffer =>
    encodeObject(storedAs === undefined ? object : storedAs.toStored(object));
  const cache = createWatchCache({ store, root, descriptor, identityOf, served });

  const read = async (namespace: string, name: string): Promise<StoredObject<T>> => {
    const { kv } = await guarded(() => store.get(keyOf(namespace, name)));
    if (kv === undefined) throw notFound(resource, name);
    return toObject(kv);
  };

  return {
    get: read,
    async list(request) {
      if (
        request.name !== undefined &&
        (request.namespace !== undefined || !descriptor.namespaced)
      ) {
        const { kv, revision } = await guarded(() =>
          store.get(keyOf(request.namespace ?? '', request.name ?? '')),
        );
        const items =
          kv === undefined
            ? []
            : [toObject(kv)].filter(each => request.filter?.(each.object()) ?? true);
        return { items, resourceVersion: revision };
      }
      const prefix = request.namespace === undefined ? root : `${root}${request.namespace}/`;
      return listPage(request, { store, prefix, toObject });
    },
    async create(object) {
      const { name = '', namespace = '' } = object.metadata;
      const key = keyOf(namespace, name);
      const value = encode(object);
      const result = await guarded(() => store.put(key, value, 0));
      if (!result.ok) throw alreadyExists(resource, name);
      return served(key, value, result.revision);
    },
    async update(namespace, name, change) {
      for (;;) {
        const current = await read(namespace, name);
        const next = await change(structuredClone(current.object()));
        if (next === undefined) return current;
        const value = encode(next);
        const key = keyOf(namespace, name);
        if (served(key, value, current.resourceVersion).json.equals(current.json)) return current;
        const result = await guarded(() => store.put(key, value, current.resourceVersion));
        if (result.ok) return served(key, value, result.revision);
      }
    },
    async delete(namespace, name, preconditions) {
      for (;;) {
        const current = await read(namespace, name);
        checkPreconditions(resource, current, preconditions);
        const key = keyOf(namespace, name);
        const result = await guarded(() => store.delete(key, current.resourceVersion));
        if (!result.ok) continue;
        const value = encode(current.object());
        return served(key, value, result.revision);
      }
    },
    watch: (request, sink, signal) => cache.watch(request, sink, signal),
    close: () => cache.close(),
  };
}

/** @throws StatusError Conflict, in Kubernetes' words */
export function checkPreconditions(
  resource: { group: string; plural: string },
  current: StoredObject,
  { uid, resourceVersion }: Preconditions = {},
): void {
  const { metadata } = current.object();
  if (uid !== undefined && uid !== metadata.uid) {
    throw conflict(
      resource,
      current.name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid ?? ''}`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== String(current.resourceVersion)) {
    throw conflict(resource, current.name, modified);
  }
}

interface PageSource<T extends KubeObject> {
  readonly store: Store;
  readonly prefix: string;
  toObject(kv: KeyValue): StoredObject<T>;
}

async function listPage<T extends KubeObject>(
  request: ListRequest,
  { store, prefix, toObject }: PageSource<T>,
): Promise<ListPage> {
  const token = request.continue ? decodeContinue(request.continue) : undefined;
  const exact =
    request.resourceVersionMatch === 'Exact' ? Number(request.resourceVersion) : undefined;
  const asked = Number(request.resourceVersion ?? 0);
  if (exact === undefined && token === undefined && asked > (await store.revision())) {
    throw tooLarge(asked, await store.revision());
  }
  let atRevision = token?.revision ?? exact;
  let startAfter = token?.startAfter;
  const items: StoredObject<T>[] = [];
  const limit = request.limit === undefined || request.limit <= 0 ? undefined : request.limit;
  for (;;) {
    const page = await guarded(() =>
      store.range({
        prefix,
        ...(startAfter === undefined ? {} : { startAfter }),
        ...(limit === undefined ? {} : { limit: limit - items.length }),
        ...(atRevision === undefined ? {} : { atRevision }),
      }),
    );
    atRevision ??= page.revision;
    for (const kv of page.items) {
      const object = toObject(kv);
      if (request.filter?.(object.object()) ?? true) items.push(object);
    }
    const last = page.items.at(-1);
    if (page.remaining === 0 || last === undefined) {
      return { items, resourceVersion: atRevision };
    }
    startAfter = last.key;
    if (limit !== undefined && items.length >= limit) {
      return {
        items,
        resourceVersion: atRevision,
        continue: encodeContinue({ revision: atRevision, startAfter }),
        ...(request.filter === undefined ? { remainingItemCount: page.remaining } : {}),
      };
    }
  }
}

/** Turns the store's errors into the API's. */
export async function guarded<R>(operation: () => Promise<R>): Promise<R> {
  try {
    return await operation();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (error.code === 'compacted') throw continueExpired();
    if (error.code === 'future') throw tooLarge(Number(/\d+/.exec(error.message)?.[0]), 0);
    if (error.code === 'corrupt') throw error;
    throw serviceUnavailable(error.message);
  }
}

const continueExpired = (): StatusError =>
  expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  );
