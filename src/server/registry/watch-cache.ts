import { guard } from '../../machinery/unexpected.ts';
import { StoreError, type Store, type StoreEvent, type StoreWatch } from '../../store/store.ts';
import {
  changeOf,
  createVerdicts,
  deliver,
  type Change,
  type ChangeSource,
  type Verdicts,
} from './change.ts';
import { createDeliveries } from './deliveries.ts';
import type { WatchRequest, WatchSink } from './object-store.ts';
import { createRecentChanges, type RecentChanges } from './recent-changes.ts';
import { guarded, tooLarge, tooOld } from './store-errors.ts';
import { nextTurn } from '../turns.ts';
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
/** What is there is sent in pieces of so many keys. */
const pieceKeys = 500;
/** Changes that wait for a client which is still taking what was there. */
const maxWaiting = 10_000;
const maxWaitingBytes = 16 * 1024 * 1024;
/** A client that is further behind lists anew: what it missed would have to be held until it took it. */
const maxMissedBytes = 16 * 1024 * 1024;

/**
 * One watch of the store a resource, fanned out. A watcher joins first, its changes waiting; then
 * gets the past; then what waited. So nothing slips by, and nothing comes twice.
 */
export function createWatchCache(options: WatchCacheOptions): WatchCache {
  const { store, root, namespaced } = options;
  const watchers = createWatchers();
  let feed: Promise<Feed> | undefined;
  let bookmarks: NodeJS.Timeout | undefined;

  const drop = (watcher: Watcher, error: unknown): void => {
    watchers.remove(watcher);
    tellEnd(watcher, error);
  };
  const deliveries = createDeliveries({
    watchers,
    send(watcher, change, verdicts) {
      try {
        send(watcher, change, verdicts);
      } catch (error) {
        drop(watcher, error);
      }
    },
    overrun(client, { revision }) {
      for (const watcher of watchers.all())
        if (watcher.request.client === client) drop(watcher, tooOld(watcher.revision, revision));
    },
  });
  /** Where everything is quiet, a watch still learns up to which version it knows everything. */
  const sendBookmarks = async (watch: StoreWatch): Promise<void> => {
    for (const watcher of watchers.all()) {
      const { client, allowBookmarks } = watcher.request;
      if (allowBookmarks !== true) continue;
      const turn = client === undefined ? undefined : nextTurn(client);
      if (turn !== undefined) await turn;
      if (watcher.waiting !== undefined || !watchers.has(watcher)) continue;
      try {
        watcher.sink.onBookmark(toldUntil(watcher, watch), false);
      } catch (error) {
        drop(watcher, error);
      }
    }
  };
  const toldUntil = ({ request, revision }: Watcher, watch: StoreWatch): number =>
    Math.max(deliveries.progress(request.client, watch.delivered), revision);

  const start = async (): Promise<Feed> => {
    const afterRevision = await store.revision();
    const recent = createRecentChanges(afterRevision);
    const watch = await store.watch(
      { prefix: root, afterRevision },
      {
        onEvents(events) {
          for (const event of events) {
            const change = changeOf(event, options);
            if (change === undefined) continue;
            recent.add(change);
            deliveries.add(change);
          }
        },
        onError(error) {
          // The next watcher starts anew.
          stop();
          const all = watchers.all();
          watchers.clear();
          deliveries.clear();
          for (const watcher of all) tellEnd(watcher, error);
        },
      },
    );
    bookmarks = setInterval(() => void sendBookmarks(watch), bookmarkEveryMs).unref();
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

  /** What is there now, as ADDED, in pieces that the client takes one by one. */
  const sendPresent = async (watcher: Watcher, signal: AbortSignal): Promise<void> => {
    const { request, sink } = watcher;
    const prefix = request.namespace === undefined ? root : `${root}${request.namespace}/`;
    const exact = isExact(request, namespaced);
    let startAfter: string | undefined;
    let atRevision: number | undefined;
    for (let more = true; more && !signal.aborted;) {
      const { revision, items, remaining } = exact
        ? await readOne(store, `${prefix}${request.name ?? ''}`)
        : await store.range({
            prefix,
            limit: pieceKeys,
            ...(startAfter === undefined ? {} : { startAfter }),
            ...(atRevision === undefined ? {} : { atRevision }),
          });
      atRevision ??= revision;
      more = remaining > 0;
      for (const kv of items) {
        if (signal.aborted) return;
        startAfter = kv.key;
        if (request.name !== undefined && options.identityOf(kv.key).name !== request.name)
          continue;
        const object = options.toObject(kv);
        if (object === undefined) continue;
        if (request.filter?.(object.object()) ?? true) sink.onEvent('ADDED', object);
        // One by one: what is not sent yet is not read yet.
        const room = sink.room?.();
        if (room !== undefined) await room;
      }
    }
    watcher.revision = atRevision ?? 0;
  };

  /** What changed since, from memory or from the store's history. */
  const sendMissed = async (
    watcher: Watcher,
    after: number,
    { recent, signal }: { recent: RecentChanges; signal: AbortSignal },
  ): Promise<void> => {
    watcher.revision = after;
    const known = recent.since(after);
    if (known === undefined) await sendHistory(watcher, after, signal);
    else await sendAll(watcher, known, signal);
  };
  /** Slice by slice: what the client has not taken yet is not read yet. */
  const sendHistory = async (
    watcher: Watcher,
    after: number,
    signal: AbortSignal,
  ): Promise<void> => {
    const { client } = watcher.request;
    let changes: Change[] = [];
    let failed: StoreError | undefined;
    let bytes = 0;
    const listener = {
      onEvents(events: readonly StoreEvent[]) {
        for (const event of events) {
          const change = changeOf(event, options);
          if (change === undefined) continue;
          bytes += change.object.json.length;
          changes.push(change);
        }
      },
      onError: (error: StoreError) => (failed = error),
    };
    const sendSlice = async (): Promise<void> => {
      const slice = changes;
      changes = [];
      await sendAll(watcher, slice, signal);
      signal.throwIfAborted();
      if (bytes > maxMissedBytes) throw tooOld(after, watcher.revision);
      const turn = client === undefined ? undefined : nextTurn(client);
      if (turn !== undefined) await turn;
    };
    const query = { prefix: root, afterRevision: after, turn: sendSlice };
    try {
      (await store.watch(query, listener)).close();
      if (failed !== undefined) throw failed;
      await sendSlice();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof StoreError) || error.code !== 'compacted') throw error;
      throw tooOld(after, error.revision ?? after);
    }
  };

  return {
    async watch(request, sink, signal) {
      const { watch, recent } = await started();
      const version = request.resourceVersion ?? '';
      const fromNumber = version !== '' && version !== '0';
      const newest = await guarded(() => store.revision());
      if (fromNumber && Number(version) > newest) throw tooLarge(Number(version), newest);
      if (signal.aborted) return;
      const watcher: Watcher = { request, sink, revision: 0, waiting: [], waitingBytes: 0 };
      const leave = (): void => watchers.remove(watcher);
      watchers.add(watcher);
      signal.addEventListener('abort', leave, { once: true });
      const initial = request.sendInitialEvents ?? !fromNumber;
      try {
        await guarded(() =>
          initial
            ? sendPresent(watcher, signal)
            : sendMissed(watcher, fromNumber ? Number(version) : newest, { recent, signal }),
        );
        await sendWaiting(watcher, signal);
      } catch (error) {
        signal.removeEventListener('abort', leave);
        leave();
        throw error;
      }
      if (signal.aborted || !initial || request.sendInitialEvents !== true) return;
      sink.onBookmark(toldUntil(watcher, watch), true);
    },
    close() {
      const closing = feed;
      stop();
      const all = watchers.all();
      watchers.clear();
      deliveries.clear();
      for (const { sink } of all) guard({ operation: 'end of a watch' }, () => sink.onEnd?.())();
      closing?.then(
        ({ watch }) => watch.close(),
        () => undefined,
      );
    },
  };
}

/** One that cannot even be told must not keep the others from their end. */
const tellEnd = ({ sink }: Watcher, error: unknown): void =>
  guard({ operation: 'end of a watch' }, () => sink.onError(error))();

/** @throws StatusError Expired when too many wait */
const send = (watcher: Watcher, change: Change, verdicts: Verdicts): void => {
  if (watcher.waiting === undefined) tell(watcher, change, verdicts);
  else if (watcher.waiting.length < maxWaiting && watcher.waitingBytes < maxWaitingBytes) {
    watcher.waiting.push(change);
    watcher.waitingBytes += change.object.json.length;
  } else throw tooOld(watcher.revision, change.revision);
};

const tell = (watcher: Watcher, change: Change, verdicts = createVerdicts(change)): void => {
  if (change.revision <= watcher.revision) return;
  watcher.revision = change.revision;
  deliver(change, watcher.request, { sink: watcher.sink, verdicts });
};

/** As fast as the client takes them. */
async function sendAll(
  watcher: Watcher,
  changes: readonly Change[],
  signal: AbortSignal,
): Promise<void> {
  for (const change of changes) {
    if (signal.aborted) return;
    tell(watcher, change);
    const room = watcher.sink.room?.();
    if (room !== undefined) await room;
  }
}

/** What came while the past was sent, until nothing waits any more. */
async function sendWaiting(watcher: Watcher, signal: AbortSignal): Promise<void> {
  for (let next = watcher.waiting; next !== undefined; next = watcher.waiting) {
    watcher.waiting = next.length === 0 || signal.aborted ? undefined : [];
    watcher.waitingBytes = 0;
    await sendAll(watcher, next, signal);
  }
}

async function readOne(store: Store, key: string) {
  const { revision, kv } = await store.get(key);
  return { revision, items: kv === undefined ? [] : [kv], remaining: 0 };
}
