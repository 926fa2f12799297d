import type { KubeObject } from '../../machinery/meta.ts';
import type { StoredObject } from './object-store.ts';

/** Objects as they are served, for as long as they are the newest of their key and there is room. */
export interface ObjectCache<T extends KubeObject> {
  get(key: string, revision: number): StoredObject<T> | undefined;
  /** What was read is kept while there is room; what was written pushes out the oldest. */
  put(key: string, object: StoredObject<T>, from: 'read' | 'write'): void;
  drop(key: string): void;
}

/** @param maxBytes of JSON */
export function createObjectCache<T extends KubeObject>(maxBytes: number): ObjectCache<T> {
  const objects = new Map<string, StoredObject<T>>();
  let bytes = 0;
  const drop = (key: string): void => {
    const object = objects.get(key);
    if (object === undefined) return;
    objects.delete(key);
    bytes -= object.json.length;
  };
  return {
    get(key, revision) {
      const object = objects.get(key);
      return object?.resourceVersion === revision ? object : undefined;
    },
    put(key, object, from) {
      const known = objects.get(key);
      // Two readers may finish in either order: the newer stays.
      if (known !== undefined && known.resourceVersion >= object.resourceVersion) return;
      drop(key);
      // A scan of more than there is room for would push out all that it comes back for.
      if (from === 'read' && bytes + object.json.length > maxBytes) return;
      objects.set(key, object);
      bytes += object.json.length;
      for (const oldest of objects.keys()) {
        if (bytes <= maxBytes) break;
        drop(oldest);
      }
    },
    drop,
  };
}
