import { mkdir } from 'node:fs/promises';
import { open, type RootDatabase } from 'lmdb';
import {
  StoreError,
  type CommitResult,
  type GetResult,
  type KeyValue,
  type RangeQuery,
  type RangeResult,
  type Store,
  type StoreEvent,
  type StoreWatch,
  type WatchListener,
  type WatchQuery,
} from '../store.ts';
import { lockFolder, type FolderLock } from './folder-lock.ts';
import { decodeRecord, encodeRecord, previousRevisionOf, type RevisionRecord } from './record.ts';
import { createWatchHub, type WatchHub } from './watch-hub.ts';

/*
 * Three tables in one environment:
 *   current  key → createRevision, modRevision, value
 *   history  revision → key, kind, createRevision, previous modRevision, value
 *   meta     'revision' → the newest; 'compacted' → the oldest that can no longer be read
 * A commit writes all of them in one transaction; lmdb groups the transactions that wait for one
 * sync of the disk. Conditions are checked inside the transaction: the writer is alone there.
 */

export interface LmdbStoreOptions {
  /** A folder of its own. Made if absent. */
  readonly path: string;
  /** How many revisions of history stay readable behind the newest. Default 20,000. */
  readonly keepRevisions?: number;
}

type Tables = ReturnType<typeof openTables>;

function openTables(root: RootDatabase<unknown, string>) {
  const current = root.openDB<Buffer, string>({
    name: 'current',
    encoding: 'binary',
    keyEncoding: 'ordered-binary',
  });
  const history = root.openDB<Buffer, number>({
    name: 'history',
    encoding: 'binary',
    keyEncoding: 'ordered-binary',
  });
  const meta = root.openDB<number, string>({ name: 'meta', encoding: 'ordered-binary' });
  return { current, history, meta };
}

/** @throws StoreError `unavailable` when another process has the folder open */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<Store> {
  await mkdir(options.path, { recursive: true, mode: 0o700 });
  const lock = await lockFolder(options.path);
  // The promise of a write then resolves when it is on disk.
  const root = open<unknown, string>({
    path: options.path,
    overlappingSync: false,
    maxDbs: 3,
    noMemInit: true,
  });
  return new LmdbStore(root, lock, options.keepRevisions ?? 20_000);
}

class LmdbStore implements Store {
  readonly #root: RootDatabase<unknown, string>;
  readonly #lock: FolderLock;
  readonly #keepRevisions: number;
  readonly #tables: Tables;
  readonly #hub: WatchHub;
  /** The newest revision that is on disk and told to the watches. */
  #durable: number;
  #closed = false;
  #compacting = false;

  constructor(root: RootDatabase<unknown, string>, lock: FolderLock, keepRevisions: number) {
    this.#root = root;
    this.#lock = lock;
    this.#keepRevisions = keepRevisions;
    this.#tables = openTables(root);
    this.#durable = this.#newest();
    this.#hub = createWatchHub(this.#durable);
  }

  revision(): Promise<number> {
    return Promise.resolve(this.#durable);
  }

  async get(key: string, atRevision?: number): Promise<GetResult> {
    const revision = this.#readable(atRevision);
    const kv = atRevision === undefined ? this.#currentOf(key) : this.#asOf(key, revision);
    return { revision, kv };
  }

  async range({ prefix, startAfter, limit, atRevision }: RangeQuery): Promise<RangeResult> {
    const revision = this.#readable(atRevision);
    const keys = this.#keysAsOf(prefix, startAfter, revision, atRevision !== undefined);
    const items: KeyValue[] = [];
    let remaining = 0;
    for (const kv of keys) {
      if (limit !== undefined && items.length >= limit) remaining += 1;
      else items.push(kv);
    }
    return { revision, items, remaining };
  }

  put(key: string, value: Uint8Array, expectedRevision?: number): Promise<CommitResult> {
    return this.#commit(key, Buffer.from(value), expectedRevision);
  }

  delete(key: string, expectedRevision?: number): Promise<CommitResult> {
    return this.#commit(key, undefined, expectedRevision);
  }

  async #commit(
    key: string,
    value: Buffer | undefined,
    expectedRevision: number | undefined,
  ): Promise<CommitResult> {
    this.#mustBeOpen();
    const { current, history, meta } = this.#tables;
    let event: StoreEvent | undefined;
    let result: CommitResult | undefined;
    await this.#root.transaction(() => {
      const before = this.#currentOf(key);
      const newest = this.#newest();
      if (expectedRevision !== undefined && expectedRevision !== (before?.modRevision ?? 0)) {
        result = { ok: false, current: before, revision: newest };
        return;
      }
      if (value === undefined && before === undefined) {
        result = { ok: true, revision: newest };
        return;
      }
      const revision = newest + 1;
      const createRevision = before?.createRevision ?? revision;
      const record: RevisionRecord = {
        key,
        type: value === undefined ? 'delete' : 'put',
        createRevision,
        modRevision: revision,
        previousRevision: before?.modRevision ?? 0,
        value: value ?? Buffer.alloc(0),
      };
      const encoded = encodeRecord(record);
      if (value === undefined) void current.remove(key);
      else void current.put(key, encoded);
      void history.put(revision, encoded);
      void meta.put('revision', revision);
      event = {
        type: record.type,
        key,
        revision,
        value,
        previous: before,
        createRevision,
      };
      result = { ok: true, revision };
    });
    if (event !== undefined) {
      this.#durable = Math.max(this.#durable, event.revision);
      this.#hub.publish(event);
      this.#compactWhenDue();
    }
    if (result === undefined) throw new StoreError('unavailable', 'The transaction did not run');
    return result;
  }

  async watch({ prefix, afterRevision }: WatchQuery, listener: WatchListener): Promise<StoreWatch> {
    this.#mustBeOpen();
    if (afterRevision < this.#compacted()) {
      throw new StoreError('compacted', `Revision ${afterRevision} is no longer kept`);
    }
    // What the hub has published is replayed from the table; what it publishes later comes live.
    const replay: StoreEvent[] = [];
    const range = { start: afterRevision + 1, end: this.#hub.published + 1 };
    for (const { value } of this.#tables.history.getRange(range)) {
      const record = decodeRecord(value);
      if (record.key.startsWith(prefix)) replay.push(this.#eventOf(record));
    }
    const watch = this.#hub.subscribe(prefix, afterRevision, listener);
    if (replay.length > 0) listener.onEvents(replay);
    return watch;
  }

  async compact(revision: number): Promise<void> {
    const { history, meta } = this.#tables;
    const from = this.#compacted();
    const until = Math.min(revision, this.#durable);
    if (until <= from) return;
    // What a kept revision superseded can still be read as of the revisions before that.
    const needed = new Set<number>();
    for (const { value } of history.getRange({ start: until + 1 })) {
      needed.add(previousRevisionOf(value));
    }
    await this.#root.transaction(() => {
      void meta.put('compacted', until);
      for (const old of history.getKeys({ start: 0, end: until + 1 })) {
        if (!needed.has(old)) void history.remove(old);
      }
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#hub.close();
    await this.#root.close();
    await this.#lock.release();
  }

  #compactWhenDue(): void {
    const behind = this.#durable - this.#compacted();
    if (this.#compacting || behind < this.#keepRevisions * 1.25) return;
    this.#compacting = true;
    this.compact(this.#durable - this.#keepRevisions)
      // What could not be compacted now is at the next write.
      .catch(() => undefined)
      .finally(() => (this.#compacting = false));
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new StoreError('closed', 'The store is closed');
  }

  #newest(): number {
    return this.#tables.meta.get('revision') ?? 1;
  }

  #compacted(): number {
    return this.#tables.meta.get('compacted') ?? 0;
  }

  #readable(atRevision: number | undefined): number {
    this.#mustBeOpen();
    if (atRevision === undefined) return this.#durable;
    if (atRevision > this.#durable) {
      throw new StoreError('future', `Revision ${atRevision} is not reached yet`);
    }
    if (atRevision < this.#compacted()) {
      throw new StoreError('compacted', `Revision ${atRevision} is no longer kept`);
    }
    return atRevision;
  }

  #currentOf(key: string): KeyValue | undefined {
    const encoded = this.#tables.current.get(key);
    return encoded === undefined ? undefined : decodeRecord(encoded);
  }

  /** Walks a key's history back from now. */
  #asOf(key: string, revision: number): KeyValue | undefined {
    const now = this.#currentOf(key);
    if (now !== undefined && now.modRevision <= revision) return now;
    // The first change after `revision` names the one before it.
    for (const { value } of this.#tables.history.getRange({ start: revision + 1 })) {
      const record = decodeRecord(value);
      if (record.key === key) return this.#at(record.previousRevision, key);
    }
    return undefined;
  }

  /** @returns what was written at that revision; values older than the history are lost with it */
  #at(revision: number, key: string): KeyValue | undefined {
    if (revision === 0) return undefined;
    const encoded = this.#tables.history.get(revision);
    if (encoded === undefined) {
      throw new StoreError('compacted', `Revision ${revision} of ${key} is no longer kept`);
    }
    return decodeRecord(encoded);
  }

  *#keysAsOf(
    prefix: string,
    startAfter: string | undefined,
    revision: number,
    past: boolean,
  ): Iterable<KeyValue> {
    const start = startAfter ?? prefix;
    const bounds = { start, end: `${prefix}\uffff` };
    if (!past) {
      for (const { key, value } of this.#tables.current.getRange(bounds)) {
        if (key !== startAfter) yield decodeRecord(value);
      }
      return;
    }
    // Keys changed since are put back as they were; the others stand as they are.
    const undone = new Map<string, KeyValue | undefined>();
    for (const { value } of this.#tables.history.getRange({ start: revision + 1 })) {
      const { key, previousRevision } = decodeRecord(value);
      if (key.startsWith(prefix) && !undone.has(key)) {
        undone.set(key, this.#at(previousRevision, key));
      }
    }
    const merged = new Map<string, KeyValue>();
    for (const { key, value } of this.#tables.current.getRange(bounds)) {
      if (!undone.has(key)) merged.set(key, decodeRecord(value));
    }
    for (const [key, kv] of undone) if (kv !== undefined) merged.set(key, kv);
    const inOrder = [...merged.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
    for (const kv of inOrder) if (startAfter === undefined || kv.key > startAfter) yield kv;
  }

  #eventOf(record: RevisionRecord): StoreEvent {
    const encoded = this.#tables.history.get(record.previousRevision);
    return {
      type: record.type,
      key: record.key,
      revision: record.modRevision,
      value: record.type === 'put' ? record.value : undefined,
      previous: encoded === undefined ? undefined : decodeRecord(encoded),
      createRevision: record.createRevision,
    };
  }
}
