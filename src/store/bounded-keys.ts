import type { Store } from './store.ts';

/** Longer than any key that is written, and within what every adapter can hold. */
export const maxKeyBytes = 1536;

/**
 * A store that can be asked for keys of any length. One that is too long to be written is absent;
 * an adapter such as lmdb would throw a RangeError.
 */
export function boundedKeys(store: Store): Store {
  return {
    revision: () => store.revision(),
    async get(key, atRevision) {
      if (isWritable(key)) return store.get(key, atRevision);
      return { revision: atRevision ?? (await store.revision()), kv: undefined };
    },
    async range(query) {
      if (isWritable(query.prefix)) return store.range(query);
      return { revision: query.atRevision ?? (await store.revision()), items: [], remaining: 0 };
    },
    put: (key, value, expectedRevision) => store.put(key, value, expectedRevision),
    delete: (key, expectedRevision) => store.delete(key, expectedRevision),
    watch: (query, listener) => store.watch(query, listener),
    compact: revision => store.compact(revision),
    writeFault: () => store.writeFault(),
    close: () => store.close(),
  };
}

// A UTF-16 unit takes at most three bytes: most keys need not be measured.
const isWritable = (key: string): boolean =>
  key.length * 3 <= maxKeyBytes || Buffer.byteLength(key) <= maxKeyBytes;
