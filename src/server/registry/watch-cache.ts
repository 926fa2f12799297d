import type { KubeObject } from '../../machinery/meta.ts';
import type { ResourceDescriptor } from '../../machinery/resource.ts';
import { expired } from '../../machinery/status.ts';
import { StoreError, type Store, type StoreEvent, type StoreWatch } from '../../store/store.ts';
import type { StoredObject, WatchRequest, WatchSink } from './object-store.ts';
import { tooLarge } from './too-large.ts';

export interface WatchCacheOptions<T extends KubeObject> {
  readonly store: Store;
  /** Prefix of the resource's keys. */
  readonly root: string;
  readonly descriptor: ResourceDescriptor<T>;
  identityOf(key: string): { namespace: string; name: string };
  served(key: string, value: Uint8Array, revision: number): StoredObject<T>;
}

/** A change, decoded once for all watchers. */
interface Change {
  readonly revision: number;
  readonly namespace: string;
  readonly name: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** The state after; for DELETED the last one, at the deletion's version. */
  readonly object: StoredObject;
  readonly previous: StoredObject | undefined;
}

interface Watcher {
  readonly request: WatchRequest;
  readonly sink: WatchSink;
  /** Changes up to here were sent. */
  revision: number;
}

const bookmarkEveryMs = 60_000;
/** Changes kept in memory for watchers that come back; older ones are the store's to replay. */
const keptChanges = 1000;

/** One watch of the store a resource, fanned out; watchers of one name cost nothing for the others. */
export function createWatchCache<T extends KubeObject>(options: WatchCacheOptions<T>) {
  const { store, root, descriptor, identityOf, served } = options;
  const everyone = new Set<Watcher>();
  const byName = new Map<string, Set<Watcher>>();
  const recent: Change[] = [];
  let revision = 0;
  let started: Promise<StoreWatch> | undefined;
  let bookmarks: NodeJS.Timeout | undefined;

  const nameKey = (namespace: string, name: string): string => `${namespace}/${name}`;
  const setOf = ({ request }: Watcher): Set<Watcher> => {
    if (request.name === undefined || (descriptor.namespaced && request.namespace === undefined)) {
      return everyone;
    }
    const key = nameKey(request.namespace ?? '', request.name);
    let set = byName.get(key);
    if (set === undefined) byName.set(key, (set = new Set()));
    return set;
  };

  const toChange = (event: StoreEvent): Change => {
    const previous =
      event.previous === undefined
        ? undefined
        : served(event.key, event.previous.value, event.previous.modRevision);
    const value = event.value ?? event.previous?.value ?? Buffer.alloc(0);
    return {
      ...identityOf(event.key),
      revision: event.revision,
      type:
        event.type === 'delete'
          ? 'DELETED'
          : event.createRevision === event.revision
            ? 'ADDED'
            : 'MODIFIED',
      object: served(event.key, value, event.revision),
      previous,
    };
  };

  const onEvents = (events: readonly StoreEvent[]): void => {
    for (const event of events) {
      const change = toChange(event);
      revision = change.revision;
      recent.push(change);
      if (recent.length > keptChanges * 2) recent.splice(0, keptChanges);
      for (const watcher of everyone) send(watcher, change);
      for (const watcher of byName.get(nameKey(change.namespace, change.name)) ?? [])
        send(watcher, change);
    }
  };

  const start = (): Promise<StoreWatch> => {
    bookmarks = setInterval(() => {
      for (const watcher of allWatchers()) bookmark(watcher, Math.max(revision, watcher.revision));
    }, bookmarkEveryMs).unref();
    return (async () => {
      revision = await store.revision();
      return store.watch(
        { prefix: root, afterRevision: revision },
        {
          onEvents,
          onError: error => {
            for (const watcher of allWatchers()) watcher.sink.onError(error);
            everyone.clear();
            byName.clear();
          },
        },
      );
    })();
  };
  const allWatchers = (): Watcher[] => [
    ...everyone,
    ...[...byName.values()].flatMap(set => [...set]),
  ];

  const bookmark = (watcher: Watcher, at: number): void => {
    if (watcher.request.allowBookmarks === true) watcher.sink.onBookmark(at, false);
  };

  /** What the watcher missed since `after`, from memory or from the store's history. */
  const replay = async (after: number): Promise<Change[]> => {
    const [oldest] = recent;
    if (oldest !== undefined && after >= oldest.revision)
      return recent.filter(each => each.revision > after);
    const missed: Change[] = [];
    const until = revision;
    if (after >= until) return missed;
    const watch = await store.watch(
      { prefix: root, afterRevision: after },
      {
        onEvents: events => {
          for (const event of events) if (event.revision <= until) missed.push(toChange(event));
        },
        onError: () => undefined,
      },
    );
    watch.close();
    return missed;
  };

  return {
    async watch(request: WatchRequest, sink: WatchSink, signal: AbortSignal): Promise<void> {
      await (started ??= start());
      const fromNumber = !['', '0', undefined].includes(request.resourceVersion);
      const after = Number(request.resourceVersion);
      if (fromNumber && after > (await store.revision()))
        throw tooLarge(after, await store.revision());
      const initial = request.sendInitialEvents ?? !fromNumber;
      const watcher: Watcher = { request, sink, revision: 0 };
      if (initial) await sendInitial(watcher);
      else {
        watcher.revision = after;
        for (const change of await replay(after).catch(tooOld(after))) send(watcher, change);
      }
      // What came while the past was read; from here on, without an await, nothing can slip by.
      for (const change of recent) send(watcher, change);
      if (signal.aborted) return;
      const set = setOf(watcher);
      set.add(watcher);
      signal.addEventListener(
        'abort',
        () => {
          set.delete(watcher);
          if (set.size === 0 && set !== everyone)
            byName.delete(nameKey(request.namespace ?? '', request.name ?? ''));
        },
        { once: true },
      );
      if (initial && request.sendInitialEvents === true) {
        sink.onBookmark(Math.max(watcher.revision, revision), true);
      }
    },
    close(): void {
      clearInterval(bookmarks);
      void started?.then(watch => watch.close());
    },
  };

  async function sendInitial(watcher: Watcher): Promise<void> {
    const { request, sink } = watcher;
    const prefix = request.namespace === undefined ? root : `${root}${request.namespace}/`;
    const page = await store.range({ prefix });
    for (const kv of page.items) {
      if (request.name !== undefined && identityOf(kv.key).name !== request.name) continue;
      const object = served(kv.key, kv.value, kv.modRevision);
      if (request.filter?.(object.object()) ?? true) sink.onEvent('ADDED', object);
    }
    watcher.revision = page.revision;
  }
}

const tooOld =
  (after: number) =>
  (error: unknown): never => {
    if (error instanceof StoreError && error.code === 'compacted') {
      throw expired(`too old resource version: ${after} (${after + 1})`);
    }
    throw error;
  };

/** One change to one watcher: what enters its view is ADDED, what leaves it DELETED. */
function send(watcher: Watcher, change: Change): void {
  const { request, sink } = watcher;
  if (change.revision <= watcher.revision) return;
  watcher.revision = change.revision;
  if (request.namespace !== undefined && request.namespace !== change.namespace) return;
  if (request.name !== undefined && request.name !== change.name) return;
  if (request.filter === undefined) {
    sink.onEvent(change.type, change.object);
    return;
  }
  const was = change.previous !== undefined && request.filter(change.previous.object());
  const is = change.type !== 'DELETED' && request.filter(change.object.object());
  if (is) sink.onEvent(was ? 'MODIFIED' : 'ADDED', change.object);
  else if (was) sink.onEvent('DELETED', change.object);
}
