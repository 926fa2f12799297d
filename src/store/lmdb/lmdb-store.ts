import { statSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from '../../machinery/log.ts';
import {
  StoreError,
  type CommitResult,
  type GetResult,
  type RangeQuery,
  type RangeResult,
  type Store,
  type StoreEvent,
  type StoreWatch,
  type WatchListener,
  type WatchQuery,
} from '../store.ts';
import { compactChunk } from './compact.ts';
import {
  dataFile,
  isReadable,
  lockFile,
  openEnvironment,
  transact,
  type Environment,
} from './environment.ts';
import { lockFolder, type FolderLock } from './folder-lock.ts';
import { readPage, readPastPage } from './read-page.ts';
import { decodeRecord, encodeRecord, keyOf, type RevisionRecord } from './record.ts';
import {
  defaultRetention,
  startRetention,
  type Retention,
  type RetentionLimits,
} from './retention.ts';
import {
  compactedOf,
  currentOf,
  decodePointer,
  encodePointer,
  identityOf,
  newestOf,
  pastOf,
  writtenAt,
  type Tables,
} from './tables.ts';
import { DamagedFileError, verifyFile } from './verify-file.ts';
import { createWatchHub, type WatchHub } from './watch-hub.ts';
import { createWriteOutage, diskFault, type WriteOutage } from './write-outage.ts';
import { createWriteQueue, type Work, type WriteQueue } from './write-queue.ts';

/** How much of the history is read at once where others have their turn in between: a few milliseconds. */
const sliceRecords = 5000;
const sliceEvents = 100;
const sliceBytes = 512 * 1024;

export interface LmdbStoreOptions {
  /** A folder of its own. Made if absent. */
  readonly path: string;
  /** @default 10 minutes, within 100,000 revisions and 64 MiB */
  readonly retention?: Partial<RetentionLimits>;
  readonly log?: Logger;
}

/** What a store tells of itself, to be compared with what was recorded of it. */
export interface StoreContents {
  /** Absent: it was given none yet. */
  readonly identity: string | undefined;
  readonly revision: number;
  /** Of keys. */
  readonly count: number;
}

export interface IdentifiedStore extends Store {
  /** Once it is closed: what it had then. */
  contents(): StoreContents;
  identify(identity: string): Promise<void>;
}

/**
 * @throws StoreError `unavailable` when a process has the folder open, `corrupt` when it is damaged,
 *   `full` or `unwritable` when the disk does not take what opening writes
 */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<IdentifiedStore> {
  const { path: folder, log } = options;
  const made = await mkdir(folder, { recursive: true, mode: 0o700 }).catch(cannotOpen(folder));
  try {
    const lock = await lockFolder(folder).catch(cannotOpen(folder));
    const data = path.join(folder, dataFile);
    const isNew = (statSync(data, { throwIfNoEntry: false })?.size ?? 0) === 0;
    try {
      if (!isNew) verify(folder, data);
      const environment = await openEnvironment(folder).catch(cannotOpen(folder));
      const retention = { ...defaultRetention, ...options.retention };
      return new LmdbStore({ folder, environment, lock, retention, ...(log && { log }) });
    } catch (error) {
      if (isNew)
        await Promise.all(
          [dataFile, lockFile].map(each => rm(path.join(folder, each), { force: true })),
        );
      await lock.release();
      throw error;
    }
  } catch (error) {
    if (made !== undefined) await rm(made, { recursive: true, force: true });
    throw error;
  }
}

function verify(folder: string, file: string): void {
  try {
    verifyFile(file);
  } catch (error) {
    if (!(error instanceof DamagedFileError)) throw error;
    throw new StoreError(
      'corrupt',
      `The store in ${folder} is damaged: ${error.message}. Restore the folder from a backup, or move it away to start with an empty store`,
      { cause: error },
    );
  }
}

const cannotOpen =
  (folder: string) =>
  (error: unknown): never => {
    if (error instanceof StoreError) throw error;
    const fault = diskFault(error);
    throw new StoreError(
      fault?.code ?? 'corrupt',
      `Cannot open the store in ${folder}: ${fault?.words ?? (error as Error).message}`,
      { cause: error },
    );
  };

interface LmdbStoreParts {
  readonly folder: string;
  readonly environment: Environment;
  readonly lock: FolderLock;
  readonly retention: RetentionLimits;
  readonly log?: Logger;
}

/*
 * A commit writes all tables in one transaction; writes that wait share one, and one sync of the
 * disk. Conditions are checked inside the transaction: the writer is alone there.
 * A read sees one snapshot, since all reads of one turn of the event loop do.
 */
class LmdbStore implements IdentifiedStore {
  readonly #folder: string;
  readonly #lock: FolderLock;
  readonly #hub: WatchHub;
  readonly #retention: Retention;
  readonly #writes: WriteQueue;
  readonly #outage: WriteOutage;
  #environment: Environment | undefined;
  #lastContents: StoreContents | undefined;
  #closed = false;

  constructor({ folder, environment, lock, retention, log }: LmdbStoreParts) {
    this.#folder = folder;
    this.#environment = environment;
    this.#lock = lock;
    this.#outage = createWriteOutage({
      folder,
      recover: () => this.#reopen(),
      ...(log && { log }),
    });
    this.#writes = createWriteQueue(work => this.#commitWork(work));
    const revision = newestOf(this.#tables);
    this.#hub = createWatchHub(revision);
    this.#retention = startRetention({
      limits: retention,
      revision,
      compact: until => this.compact(until),
    });
  }

  async revision(): Promise<number> {
    return this.#told();
  }

  async get(key: string, atRevision?: number): Promise<GetResult> {
    const revision = this.#readable(await this.#told(), atRevision);
    const kv =
      atRevision === undefined ? currentOf(this.#tables, key) : pastOf(this.#tables, key, revision);
    return { revision, kv };
  }

  async range(query: RangeQuery): Promise<RangeResult> {
    const revision = this.#readable(await this.#told(), query.atRevision);
    const page =
      query.atRevision === undefined
        ? readPage(this.#tables, query)
        : readPastPage(this.#tables, query, revision);
    return { revision, ...page };
  }

  put(key: string, value: Uint8Array, expectedRevision?: number): Promise<CommitResult> {
    const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value);
    return this.#commit(key, bytes, expectedRevision);
  }

  delete(key: string, expectedRevision?: number): Promise<CommitResult> {
    return this.#commit(key, undefined, expectedRevision);
  }

  async #commit(
    key: string,
    value: Buffer | undefined,
    expectedRevision: number | undefined,
  ): Promise<CommitResult> {
    const outcome = await this.#transact(
      () => this.#write(key, value, expectedRevision),
      value?.length,
    );
    if (outcome.event !== undefined) {
      const { revision } = outcome.event;
      this.#hub.publish(outcome.event);
      this.#retention.wrote(revision, outcome.bytes);
      if (this.#hub.published < revision) await this.#hub.reached(revision);
    }
    return outcome.result;
  }

  /** Inside the transaction. */
  #write(
    key: string,
    value: Buffer | undefined,
    expectedRevision: number | undefined,
  ): { result: CommitResult; event?: StoreEvent; bytes: number } {
    const { current, commits, meta } = this.#tables;
    const bytes = current.get(key);
    const pointer = bytes && decodePointer(bytes);
    // Read now: when the watches look at it, it may be forgotten.
    const before = pointer && writtenAt(this.#tables, key, pointer.modRevision);
    const newest = newestOf(this.#tables);
    if (expectedRevision !== undefined && expectedRevision !== (pointer?.modRevision ?? 0)) {
      return { result: { ok: false, current: before, revision: newest }, bytes: 0 };
    }
    if (value === undefined && pointer === undefined) {
      return { result: { ok: true, revision: newest }, bytes: 0 };
    }
    const revision = newest + 1;
    const record: RevisionRecord = {
      key,
      type: value === undefined ? 'delete' : 'put',
      createRevision: pointer?.createRevision ?? revision,
      modRevision: revision,
      previousRevision: pointer?.modRevision ?? 0,
      value: value ?? Buffer.alloc(0),
    };
    const encoded = encodeRecord(record);
    if (value === undefined) void current.remove(key);
    else void current.put(key, encodePointer(record));
    void commits.put(revision, encoded);
    void meta.put('revision', revision);
    const { type, createRevision } = record;
    return {
      result: { ok: true, revision },
      event: { type, key, revision, value, previous: before, createRevision },
      bytes: encoded.length,
    };
  }

  async watch(
    { prefix, afterRevision, turn }: WatchQuery,
    listener: WatchListener,
  ): Promise<StoreWatch> {
    this.#mustBeOpen();
    for (let after = afterRevision; ;) {
      this.#mustBeKept(after);
      // What the hub has published is replayed from the table; what it publishes later comes live.
      const slice = this.#slice(prefix, after, turn !== undefined);
      if (slice.until >= this.#hub.published)
        return this.#hub.subscribe(prefix, slice.until, listener, slice.events);
      if (slice.events.length > 0) listener.onEvents(slice.events);
      after = slice.until;
      await turn?.();
      this.#mustBeOpen();
    }
  }

  /** Published changes after a revision: all of them, or as many as are read at once. */
  #slice(
    prefix: string,
    after: number,
    isBounded: boolean,
  ): { readonly events: readonly StoreEvent[]; readonly until: number } {
    const events: StoreEvent[] = [];
    let read = 0;
    let bytes = 0;
    const range = { start: after + 1, end: this.#hub.published + 1 };
    for (const { key: revision, value } of this.#tables.commits.getRange(range)) {
      read += 1;
      if (keyOf(value).startsWith(prefix)) {
        events.push(this.#eventOf(decodeRecord(value)));
        bytes += value.length;
      }
      const isFull = events.length >= sliceEvents || bytes >= sliceBytes || read >= sliceRecords;
      if (isBounded && isFull) return { events, until: revision };
    }
    return { events, until: Math.max(after, this.#hub.published) };
  }

  async compact(revision: number): Promise<void> {
    const until = Math.min(revision, this.#hub.published);
    while (await this.#transact(() => compactChunk(this.#tables, until))) {
      // Chunk by chunk: other writes come in between.
    }
  }

  contents(): StoreContents {
    if (this.#lastContents !== undefined) return this.#lastContents;
    const { current } = this.#tables;
    return {
      identity: identityOf(this.#tables),
      revision: newestOf(this.#tables),
      count: (current.getStats() as { entryCount: number }).entryCount,
    };
  }

  async identify(identity: string): Promise<void> {
    await this.#transact(() => void this.#tables.meta.put('identity', identity));
  }

  writeFault(): string | undefined {
    return this.#outage.reason;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#retention.close();
    await this.#writes.idle();
    this.#outage.close();
    this.#hub.close();
    if (this.#environment !== undefined) this.#lastContents = this.contents();
    await this.#environment?.root.close();
    await this.#lock.release();
  }

  /** @throws StoreError `full` or `unwritable` when the disk does not take it */
  async #transact<R>(action: () => R, bytes = 0): Promise<R> {
    this.#mustBeOpen();
    return this.#writes.run(action, bytes);
  }

  /** One transaction of the queue's. */
  async #commitWork(work: Work): Promise<void> {
    this.#outage.mustBeOver();
    let done: { readonly fault: unknown; readonly bytes: number } | undefined;
    try {
      await transact(this.#opened.root, () => (done = work()));
    } catch (error) {
      if (!isReadable(this.#opened)) await this.#shut();
      throw await this.#outage.begin(done?.fault ?? error, done?.bytes ?? 0);
    }
  }

  /** lmdb refuses all further use once it could not write where the newest state begins: it is opened anew. */
  async #shut(): Promise<void> {
    const { root } = this.#opened;
    this.#environment = undefined;
    await root.close();
  }

  async #reopen(): Promise<void> {
    if (this.#environment !== undefined || this.#closed) return;
    this.#environment = await openEnvironment(this.#folder);
    // The commit whose end nobody could tell may be there after all.
    const range = { start: this.#hub.published + 1 };
    for (const { value } of this.#tables.commits.getRange(range))
      this.#hub.publish(this.#eventOf(decodeRecord(value)));
  }

  get #opened(): Environment {
    if (this.#environment === undefined)
      throw new StoreError('unavailable', `The store is not open: ${this.writeFault() ?? ''}`);
    return this.#environment;
  }

  get #tables(): Tables {
    return this.#opened.tables;
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new StoreError('closed', 'The store is closed');
  }

  #mustBeKept(revision: number): void {
    const oldest = compactedOf(this.#tables);
    if (revision < oldest) {
      throw new StoreError('compacted', `Revision ${revision} is no longer kept`, {
        revision: oldest,
      });
    }
  }

  /** The newest revision, once the watches were told of it: between the disk and the hub lies a moment. */
  async #told(): Promise<number> {
    for (;;) {
      this.#mustBeOpen();
      const newest = newestOf(this.#tables);
      if (newest <= this.#hub.published) return newest;
      await this.#hub.reached(newest);
    }
  }

  #readable(newest: number, atRevision: number | undefined): number {
    if (atRevision === undefined) return newest;
    if (atRevision > newest) {
      throw new StoreError('future', `Revision ${atRevision} is not reached yet`, {
        revision: newest,
      });
    }
    this.#mustBeKept(atRevision);
    return atRevision;
  }

  #eventOf(record: RevisionRecord): StoreEvent {
    const { type, key, modRevision, previousRevision, createRevision, value } = record;
    return {
      type,
      key,
      revision: modRevision,
      value: type === 'put' ? value : undefined,
      previous: writtenAt(this.#tables, key, previousRevision),
      createRevision,
    };
  }
}
