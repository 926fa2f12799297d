import type { Logger } from '../../machinery/log.ts';
import type { KubeObject } from '../../machinery/meta.ts';
import { apiVersionOf, type ResourceDescriptor } from '../../machinery/resource.ts';
import type { Store } from '../../store/store.ts';
import { createObjectStore } from './create-object-store.ts';
import type { ObjectStore } from './object-store.ts';

/** The objects of every resource, on one store: each resource and version has one object store. */
export interface ObjectStores {
  /** Opened when it is first asked for. */
  of<T extends KubeObject>(descriptor: ResourceDescriptor<T>): ObjectStore<T>;
  /** Ends the watches of one that is no longer served. */
  closeOne(descriptor: ResourceDescriptor): void;
  close(): void;
}

export function createObjectStores(store: Store, log: Logger): ObjectStores {
  const open = new Map<string, ObjectStore & { close(): void }>();
  const keyOf = (descriptor: ResourceDescriptor): string =>
    `${apiVersionOf(descriptor)}/${descriptor.plural}`;
  return {
    of<T extends KubeObject>(descriptor: ResourceDescriptor<T>) {
      const key = keyOf(descriptor);
      let objects = open.get(key);
      if (objects === undefined) {
        objects = createObjectStore(descriptor as ResourceDescriptor, store, log);
        open.set(key, objects);
      }
      return objects as unknown as ObjectStore<T>;
    },
    closeOne(descriptor) {
      const key = keyOf(descriptor);
      open.get(key)?.close();
      open.delete(key);
    },
    close() {
      for (const objects of open.values()) objects.close();
      open.clear();
    },
  };
}
