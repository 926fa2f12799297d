import type { Informer, InformerChange } from '../../src/client/informer.ts';
import type { SharedInformers } from '../../src/client/shared-informers.ts';
import type { KubeObject } from '../../src/machinery/meta.ts';
import type { ResourceRef } from '../../src/machinery/resource.ts';

/** An informer whose objects the test sets. */
export interface FedInformer<T extends KubeObject> {
  readonly informer: Informer<T>;
  put(object: T): void;
  remove(object: T): void;
}

export function fedInformer<T extends KubeObject>(): FedInformer<T> {
  const objects = new Map<string, T>();
  const handlers: ((change: InformerChange<T>) => void)[] = [];
  const emit = (change: InformerChange<T>): void => {
    for (const handler of handlers) handler(change);
  };
  const keyOf = ({ metadata }: KubeObject): string =>
    `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
  return {
    informer: {
      synced: Promise.resolve(),
      get: (namespace, name) => objects.get(`${namespace}/${name}`),
      list: () => [...objects.values()],
      onChange: handler => void handlers.push(handler),
    },
    put(object) {
      const old = objects.get(keyOf(object));
      objects.set(keyOf(object), object);
      emit(old === undefined ? { type: 'added', object } : { type: 'updated', object, old });
    },
    remove(object) {
      if (objects.delete(keyOf(object))) emit({ type: 'deleted', object });
    },
  };
}

export interface FedInformers extends SharedInformers {
  /** The one that controllers get, whole or with metadata alone. */
  feed<T extends KubeObject>(ref: ResourceRef<T>): FedInformer<T>;
}

export function fedInformers(): FedInformers {
  const byKind = new Map<string, FedInformer<KubeObject>>();
  const feed = <T extends KubeObject>(ref: ResourceRef<T>): FedInformer<T> => {
    const fed = byKind.get(ref.kind) ?? fedInformer<KubeObject>();
    byKind.set(ref.kind, fed);
    return fed as unknown as FedInformer<T>;
  };
  return {
    feed,
    of: ref => feed(ref).informer,
    metadata: ref => feed(ref).informer,
    stop: () => undefined,
  };
}
