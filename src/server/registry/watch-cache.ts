import { StoreError, type Store, type StoreEvent, type StoreWatch } from '../../store/store.ts';
import { changeOf, deliver, type Change, type ChangeSource } from './change.ts';
import type { WatchRequest, WatchSink } from './object-store.ts';
import { createRecentChanges, type RecentChanges } from './recent-changes.ts';
import { guarded, tooLarge, tooOld } from './store-errors.ts';
import { createWatchers, isExact, type Watcher } from './watchers.ts';

export interface WatchCacheOptions extends ChangeSource {
  readonly store: Store;
  /** Prefix of the resource's keys. */
  readonly root: string;
  readonly namespaced: boolean;
}

export interface WatchCache {
  watch(request: WatchRequest, sink: WatchSink, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** The one watch of the store, and what came by it lately. */
interface Feed {
  readonly watch: StoreWatch;
  readonly recent: RecentChanges;
}

const bookmarkEveryMs = 60_000;

/**
 * One watch of the store a resource, fanned out. A watcher joins first, its changes waiting; then
 * gets the past; then what waited. So nothing slips by, and nothing comes twice.
 */
export function createWatchCache(options: WatchCacheOptions): WatchCache {
  const { store, root, namespaced } = options;
  const watchers = createWatchers(namespaced);
  let feed: Promise<Feed> | undefined;
  let bookmarks: NodeJS.Timeout | undefined;

  const drop = (watcher: Watcher, error: unknown): void => {
    watchers.remove(watcher);
    watcher.sink.onError(error);
  };
  const sendOrDrop = (watcher: Watcher, change: Change): void => {
    try {
      send(watcher, change);
    } catch (error) {
      drop(watcher, error);
    }
  };

  const start = async (): Promise<Feed> => {
    const afterRevision = await store.revision();
    const recent = createRecentChanges(afterRevision);
    const watch = await store.watch(
      { prefix: root, afterRevision },
      {
        onEvents(events) {
          for (const event of events) {
            const change = changeOf(event, options);
            recent.add(change);
            for (const watcher of watchers.of(change)) sendOrDrop(watcher, change);
          }
        },
        onError(error) {
          // The next watcher starts anew.
          stop();
          const all = watchers.all();
          watchers.clear();
          for (const watcher of all) watcher.sink.onError(error);
        },
      },
    );
    bookmarks = setInterval(() => {
      for (const watcher of watchers.all()) bookmark(watcher, watch);
    }, bookmarkEveryMs).unref();
    return { watch, recent };
  };
  const stop = (): void => {
    clearInterval(bookmarks);
    feed = undefined;
  };
  const started = (): Promise<Feed> => {
    feed ??= guarded(start).catch((error: unknown) => {
      stop();
      throw error;
    });
    return feed;
  };

  /** What is there now, as ADDED. */
  const sendPresent = async (watcher: Watcher): Promise<void> => {
    const { request, sink } = watcher;
    const prefix = request.namespace === undefined ? root : `${root}${request.namespace}/`;
    const { revision, items } = isExact(request, namespaced)
      ? await readOne(store, `${prefix}${request.name ?? ''}`)
      : await store.range({ prefix });
    for (const kv of items) {
      if (request.name !== undefined && options.identityOf(kv.key).name !== request.name) continue;
      const object = options.toObject(kv);
      if (request.filter?.(object.object()) ?? true) sink.onEvent('ADDED', object);
    }
    watcher.revision = revision;
  };

  /** What changed since, from memory or from the store's history. */
  const sendMissed = async (watcher: Watcher, after: number, recent: RecentChanges) => {
    watcher.revision = after;
    const missed = recent.since(after) ?? (await history(after));
    for (const change of missed) {
      watcher.revision = change.revision;
      deliver(change, watcher.request, watcher.sink);
    }
  };
  const history = async (after: number): Promise<Change[]> => {
    const events: StoreEvent[] = [];
    let failed: StoreError | undefined;
    const listener = {
      onEvents: (more: readonly StoreEvent[]) => void events.push(...more),
      onError: (error: StoreError) => (failed = error),
    };
    try {
      (await store.watch({ prefix: root, afterRevision: after }, listener)).close();
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'compacted') throw error;
      throw tooOld(after, error.revision ?? after);
    }
    if (failed !== undefined) throw failed;
    return events.map(event => changeOf(event, options));
  };

  return {
    async watch(request, sink, signal) {
      const { watch, recent } = await started();
      const version = request.resourceVersion ?? '';
      const fromNumber = version !== '' && version !== '0';
      const newest = await guarded(() => store.revision());
      if (fromNumber && Number(version) > newest) throw tooLarge(Number(version), newest);
      if (signal.aborted) return;
      const watcher: Watcher = { request, sink, revision: 0, waiting: [] };
      const leave = (): void => watchers.remove(watcher);
      watchers.add(watcher);
      signal.addEventListener('abort', leave, { once: true });
      const initial = request.sendInitialEvents ?? !fromNumber;
      try {
        await guarded(() =>
          initial
            ? sendPresent(watcher)
            : sendMissed(watcher, fromNumber ? Number(version) : newest, recent),
        );
        const waiting = watcher.waiting ?? [];
        watcher.waiting = undefined;
        for (const change of waiting) send(watcher, change);
      } catch (error) {
        signal.removeEventListener('abort', leave);
        leave();
        throw error;
      }
      if (signal.aborted || !initial || request.sendInitialEvents !== true) return;
      sink.onBookmark(Math.max(watcher.revision, watch.delivered), true);
    },
    close() {
      const closing = feed;
      stop();
      closing?.then(
        ({ watch }) => watch.close(),
        () => undefined,
      );
    },
  };
}

const send = (watcher: Watcher, change: Change): void => {
  if (watcher.waiting !== undefined) {
    watcher.waiting.push(change);
    return;
  }
  if (change.revision <= watcher.revision) return;
  watcher.revision = change.revision;
  deliver(change, watcher.request, watcher.sink);
};

const bookmark = (watcher: Watcher, watch: StoreWatch): void => {
  if (watcher.request.allowBookmarks !== true || watcher.waiting !== undefined) return;
  watcher.sink.onBookmark(Math.max(watch.delivered, watcher.revision), false);
};

async function readOne(store: Store, key: string) {
  const { revision, kv } = await store.get(key);
  return { revision, items: kv === undefined ? [] : [kv] };
}
