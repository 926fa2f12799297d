/** Equal things made once, for as long as somebody uses them. */
export interface InternTable<T extends object> {
  /** @param make runs where no equal one is in use */
  get(key: string, make: () => T): T;
  readonly size: number;
}

export function createInternTable<T extends object>(): InternTable<T> {
  const interned = new Map<string, WeakRef<T>>();
  const unused = new FinalizationRegistry<string>(key => {
    // One that was made anew meanwhile stays.
    if (interned.get(key)?.deref() === undefined) interned.delete(key);
  });
  return {
    get(key, make) {
      const known = interned.get(key)?.deref();
      if (known !== undefined) return known;
      const made = make();
      interned.set(key, new WeakRef(made));
      unused.register(made, key);
      return made;
    },
    get size() {
      return interned.size;
    },
  };
}
