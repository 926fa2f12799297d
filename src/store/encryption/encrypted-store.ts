import type { KeyValue, Store, StoreEvent } from '../store.ts';
import type { Keyring } from './keyring.ts';
import { seal, unseal } from './seal.ts';

/** The same store with every value sealed before it reaches `inner`. Keys stay readable. */
export function encryptedStore(inner: Store, keyring: Keyring): Store {
  const openKv = (kv: KeyValue): KeyValue => new OpenedKeyValue(keyring, kv);
  const openIfThere = (kv: KeyValue | undefined): KeyValue | undefined =>
    kv === undefined ? undefined : openKv(kv);
  /** What was sealed here comes back by the watch before it is forgotten: it need not be unsealed. */
  const sealedHere = new WeakMap<Uint8Array, Uint8Array>();
  const openEvent = (event: StoreEvent): StoreEvent => {
    const { type, key, revision, createRevision } = event;
    let value: Uint8Array | undefined;
    let previous: KeyValue | undefined;
    return {
      type,
      key,
      revision,
      createRevision,
      // One damaged value must not end the watch: who looks at it is told.
      get value() {
        return (value ??=
          event.value && (sealedHere.get(event.value) ?? unseal(keyring, key, event.value)));
      },
      // Few look at it: opened when somebody does.
      get previous() {
        return (previous ??= openIfThere(event.previous));
      },
    };
  };
  return {
    revision: () => inner.revision(),
    async get(key, atRevision) {
      const { revision, kv } = await inner.get(key, atRevision);
      return { revision, kv: openIfThere(kv) };
    },
    async range(query) {
      const result = await inner.range(query);
      return {
        ...result,
        items: result.items.map(kv => openKv(kv)),
      };
    },
    async put(key, value, expectedRevision) {
      const sealed = seal(keyring, key, value);
      sealedHere.set(sealed, value);
      const result = await inner.put(key, sealed, expectedRevision);
      return result.ok ? result : { ...result, current: openIfThere(result.current) };
    },
    async delete(key, expectedRevision) {
      const result = await inner.delete(key, expectedRevision);
      return result.ok ? result : { ...result, current: openIfThere(result.current) };
    },
    watch: (query, listener) =>
      inner.watch(query, {
        onEvents: events => listener.onEvents(events.map(openEvent)),
        onError: error => listener.onError(error),
      }),
    writeFault: () => inner.writeFault(),
    compact: revision => inner.compact(revision),
    close: () => inner.close(),
  };
}

// A class: a list makes one for each key, and a literal with a getter costs ten times as much.
class OpenedKeyValue implements KeyValue {
  readonly key: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly #keyring: Keyring;
  readonly #sealed: KeyValue;

  constructor(keyring: Keyring, sealed: KeyValue) {
    this.#keyring = keyring;
    this.#sealed = sealed;
    this.key = sealed.key;
    this.createRevision = sealed.createRevision;
    this.modRevision = sealed.modRevision;
  }

  /** Who lists may know the value already: opened when somebody looks, and not kept. */
  get value(): Uint8Array {
    return unseal(this.#keyring, this.key, this.#sealed.value);
  }
}
