/**
 * The store port: etcd's semantics, embedded or not. One revision counter for all keys; every
 * commit that changes something takes the next revision. Values are opaque.
 *
 * Life: an adapter's `openXStore()` gives one; `close()` ends it, its watches with it. A write is
 * acknowledged (its promise resolves) when it is on disk and the watches were told of it; a read shows
 * nothing that they were not told of. What a watch keeps in memory is thus never behind its asker.
 */
export interface Store {
  /** The newest revision. 1 in an empty store, as etcd has it. */
  revision(): Promise<number>;

  /**
   * One key, now or as it was.
   * @throws StoreError `compacted` when `atRevision` is older than what is kept; `future` when it is not reached yet
   */
  get(key: string, atRevision?: number): Promise<GetResult>;

  /** Keys that start with `prefix`, in byte order. Same errors as `get`. */
  range(query: RangeQuery): Promise<RangeResult>;

  /**
   * Writes a value if the key's modRevision is still `expectedRevision` (0: the key is absent;
   * undefined: whatever it is). On a mismatch nothing is written and the present state is answered.
   * @param value the store's from now on: it is not to be changed
   */
  put(key: string, value: Uint8Array, expectedRevision?: number): Promise<CommitResult>;

  /** Removes a key under the same condition. Removing an absent key unconditionally takes no revision. */
  delete(key: string, expectedRevision?: number): Promise<CommitResult>;

  /**
   * Calls `onEvents` for every later change under `prefix`, in order, one call a commit batch,
   * never before the change is on disk; first for those since `afterRevision` (exclusive). Ends by
   * `close()`, or by `onError`: a listener that throws is told its error and hears no more.
   * @throws StoreError `compacted` when changes since `afterRevision` are no longer kept
   */
  watch(query: WatchQuery, listener: WatchListener): Promise<StoreWatch>;

  /** Why writes are refused at present; undefined while they are taken. Reads and watches go on. */
  writeFault(): string | undefined;

  /** Forgets superseded versions up to and including `revision`. Current values stay. */
  compact(revision: number): Promise<void>;

  close(): Promise<void>;
}

export interface KeyValue {
  readonly key: string;
  /**
   * May be read and opened when it is first looked at: to be looked at in the turn that it was answered in.
   * @throws StoreError `corrupt` then
   */
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
}

export interface GetResult {
  /** The revision that was read at. */
  readonly revision: number;
  readonly kv: KeyValue | undefined;
}

export interface RangeQuery {
  readonly prefix: string;
  /** Exclusive: the page starts behind this key. */
  readonly startAfter?: string;
  readonly limit?: number;
  readonly atRevision?: number;
}

export interface RangeResult {
  readonly revision: number;
  readonly items: readonly KeyValue[];
  /** How many keys follow the page. */
  readonly remaining: number;
}

export type CommitResult =
  | { readonly ok: true; readonly revision: number }
  | { readonly ok: false; readonly current: KeyValue | undefined; readonly revision: number };

export interface WatchQuery {
  readonly prefix: string;
  readonly afterRevision: number;
  /** Waits between the slices of a long history. What it throws ends the watch before it began. */
  readonly turn?: () => Promise<void> | undefined;
}

export interface StoreEvent {
  readonly type: 'put' | 'delete';
  readonly key: string;
  /** The commit's revision. */
  readonly revision: number;
  /** The new value; absent for a delete. May be opened when it is first looked at, as KeyValue's. */
  readonly value: Uint8Array | undefined;
  /** The value before, where there was one. */
  readonly previous: KeyValue | undefined;
  /** Equal to `revision` when the event made the key. */
  readonly createRevision: number;
}

export interface WatchListener {
  onEvents(events: readonly StoreEvent[]): void;
  /** The watch is over and will not come back: compacted, or the store was lost. */
  onError(error: StoreError): void;
}

export interface StoreWatch {
  /** Every change under the prefix up to this revision has been given to the listener. */
  readonly delivered: number;
  close(): void;
}

export type StoreErrorCode =
  | 'compacted'
  | 'future'
  /** Passing: another process has the store open, or it is being opened again. */
  | 'unavailable'
  /** Passing: the disk has no room for the write. Reads go on. */
  | 'full'
  /** The disk refuses writes: read-only, or faulty. Reads go on. */
  | 'unwritable'
  /** A stored value cannot be opened: wrong key, or damaged. */
  | 'corrupt'
  | 'closed';

export interface StoreErrorOptions extends ErrorOptions {
  readonly revision?: number;
}

export class StoreError extends Error {
  readonly code: StoreErrorCode;
  /** With `compacted` the oldest revision that is kept, with `future` the newest. */
  readonly revision: number | undefined;

  constructor(code: StoreErrorCode, message: string, options: StoreErrorOptions = {}) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
    this.revision = options.revision;
  }
}
