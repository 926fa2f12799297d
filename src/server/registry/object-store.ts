import type { Turn } from '../turns.ts';
import type { KubeObject } from '../../machinery/meta.ts';

/** An object as it is kept: its served JSON made once, its parsed form made when first asked for. */
export interface StoredObject<T extends KubeObject = KubeObject> {
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: number;
  /** The JSON that is served, with metadata.resourceVersion. Shared: never changed. */
  readonly json: Buffer;
  /** Parsed and cached. Frozen by convention: who changes it takes a structuredClone. */
  object(): T;
}

/** Whether an object is in the view of a list or watch (selectors). Absent: all are. */
export type ObjectFilter = (object: KubeObject) => boolean;

export interface ListRequest {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  /** Set when a fieldSelector asks for exactly one name: a point read. */
  readonly name?: string;
  readonly filter?: ObjectFilter;
  readonly limit?: number;
  readonly continue?: string;
  /** As in the query: '' or absent (newest), '0' (any), or a number. */
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan';
  /** Nobody waits for the page any more once it aborts: what is answered then does not count. */
  readonly signal?: AbortSignal;
  /** Of whoever asks, for pages that take long. */
  readonly turn?: Turn;
}

export interface ListPage {
  readonly items: readonly StoredObject[];
  readonly resourceVersion: number;
  readonly continue?: string;
  /** Absent when a filter makes it unknown, as in Kubernetes. */
  readonly remainingItemCount?: number;
  /** Those that were left out because their stored values are damaged. */
  readonly damaged?: readonly { readonly namespace: string; readonly name: string }[];
}

export interface WatchRequest {
  readonly namespace?: string;
  readonly name?: string;
  readonly filter?: ObjectFilter;
  /** '' or absent or '0': begins with ADDED for what is there; a number: changes after it. */
  readonly resourceVersion?: string;
  readonly sendInitialEvents?: boolean;
  readonly allowBookmarks?: boolean;
  /** In whose turns it is told (`turns.ts`). Absent: the server itself, which is told at once. */
  readonly client?: string;
}

/** The object of `json` in the form that was asked for (JSON, Table, PartialObjectMetadata) is the sink's to make. */
export interface WatchSink {
  onEvent(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: StoredObject): void;
  /** `initialEventsEnd`: carries the annotation `k8s.io/initial-events-end: "true"`. */
  onBookmark(resourceVersion: number, initialEventsEnd: boolean): void;
  /** The watch is over: compacted history is a 410 StatusError. */
  onError(error: unknown): void;
  /** The watch is over because the resource is no longer served. */
  onEnd?(): void;
  /** While much of what it was given is not taken yet: resolves when it is, or the watch is over. */
  room?(): Promise<void> | undefined;
}

export interface Preconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/**
 * The objects of one resource in the store. It knows keys, versions, pages and watches; it knows
 * nothing of defaults, validation or admission. Errors are StatusErrors (404, 409, 410, 503).
 */
export interface ObjectStore<T extends KubeObject = KubeObject> {
  get(namespace: string, name: string): Promise<StoredObject<T>>;
  list(request: ListRequest): Promise<ListPage>;
  /** @throws StatusError AlreadyExists */
  create(object: T): Promise<StoredObject<T>>;
  /**
   * Reads, lets `change` make the next object from a private copy, and writes it if nothing came
   * between; else again. `change` answers undefined for "leave as it is" and may throw to refuse.
   * An unchanged object is not written: the stored one is answered, its version unmoved.
   */
  update(
    namespace: string,
    name: string,
    change: (current: T) => T | undefined | Promise<T | undefined>,
  ): Promise<StoredObject<T>>;
  /** As `update`, from the shared object, which `change` may not change. */
  replace(
    namespace: string,
    name: string,
    change: (current: StoredObject<T>) => T | undefined | Promise<T | undefined>,
  ): Promise<StoredObject<T>>;
  /**
   * Removes it for good, also when its stored value is damaged. Answers the last state, at the
   * deletion's resourceVersion.
   */
  delete(namespace: string, name: string, preconditions?: Preconditions): Promise<StoredObject<T>>;
  /** Starts sending; stops at `signal`. Rejects (StatusError) when it cannot start. */
  watch(request: WatchRequest, sink: WatchSink, signal: AbortSignal): Promise<void>;
}
