import type { Change } from './change.ts';
import type { WatchRequest, WatchSink } from './object-store.ts';

export interface Watcher {
  readonly request: WatchRequest;
  readonly sink: WatchSink;
  /** Changes up to here were sent. */
  revision: number;
  /** What came while the past is still being sent; undefined once that is done. */
  waiting: Change[] | undefined;
  /** Of the JSON of those. */
  waitingBytes: number;
}

/** Who watches; those of one name are found by it, and cost nothing for the changes of others. */
export interface Watchers {
  add(watcher: Watcher): void;
  remove(watcher: Watcher): void;
  /** Whom a change may concern. */
  of(change: { namespace: string; name: string }): Iterable<Watcher>;
  all(): Watcher[];
  clear(): void;
}

const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`;

export function createWatchers(namespaced: boolean): Watchers {
  const everyone = new Set<Watcher>();
  const byName = new Map<string, Set<Watcher>>();
  const exactKeyOf = ({ request }: Watcher): string | undefined =>
    isExact(request, namespaced) ? keyOf(request.namespace ?? '', request.name ?? '') : undefined;
  return {
    add(watcher) {
      const key = exactKeyOf(watcher);
      if (key === undefined) {
        everyone.add(watcher);
        return;
      }
      const set = byName.get(key);
      if (set === undefined) byName.set(key, new Set([watcher]));
      else set.add(watcher);
    },
    remove(watcher) {
      const key = exactKeyOf(watcher);
      const set = key === undefined ? everyone : byName.get(key);
      set?.delete(watcher);
      if (key !== undefined && set?.size === 0) byName.delete(key);
    },
    *of({ namespace, name }) {
      yield* everyone;
      yield* byName.get(keyOf(namespace, name)) ?? [];
    },
    all: () => [...everyone, ...[...byName.values()].flatMap(set => [...set])],
    clear() {
      everyone.clear();
      byName.clear();
    },
  };
}

/** Whether the request is for one object. */
export const isExact = (request: WatchRequest, namespaced: boolean): boolean =>
  request.name !== undefined && (request.namespace !== undefined || !namespaced);
