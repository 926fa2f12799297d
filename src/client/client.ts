import type { KubeList, KubeObject } from '../machinery/meta.ts';
import type { ResourceRef } from '../machinery/resource.ts';
import type { WatchEvent } from '../machinery/watch-event.ts';

/** PEM texts. */
export interface ClientCertificates {
  readonly certificateAuthority?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
}

/** How to reach a Kubernetes API: what a kubeconfig's current context says. */
export interface ClientConfig extends ClientCertificates {
  /** Such as `https://127.0.0.1:6443`. */
  readonly server: string;
  /** Instead of those above. Read anew for each request: certificates are renewed while they are in use. */
  readonly certificates?: () => ClientCertificates;
  /** Read anew for each request: a projected token is rotated under its reader. */
  readonly token?: () => string | Promise<string>;
  readonly userAgent?: string;
}

/** A small typed client of any Kubernetes API. All connections end with `close()`. */
export interface KubeClient {
  resource<T extends KubeObject>(ref: ResourceRef<T>): ResourceClient<T>;
  /** The same objects with their metadata alone: their content stays at the server. */
  metadata(ref: ResourceRef): MetadataClient;
  /** A path of no resource, such as `/readyz`. Answers of every status are returned, not thrown. */
  raw(method: string, path: string, body?: unknown): Promise<{ status: number; body: Buffer }>;
  close(): Promise<void>;
}

export interface WriteOptions {
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
  readonly signal?: AbortSignal;
}

export interface ListOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  /** Of the answer's body: a larger one is cut off, and the call rejects with AnswerTooLargeError. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

export interface WatchOptions extends Omit<ListOptions, 'limit' | 'continue' | 'maxBytes'> {
  /** Asks for BOOKMARK events. Default true. */
  readonly allowBookmarks?: boolean;
  readonly timeoutSeconds?: number;
}

export interface DeleteOptions extends WriteOptions {
  readonly gracePeriodSeconds?: number;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
}

export type PatchType = 'json' | 'merge' | 'strategic';

/** Every call rejects with StatusError for what the API refuses, and with the transport's own error otherwise. */
export interface ResourceReader<T extends KubeObject> {
  readonly ref: ResourceRef<T>;
  get(namespace: string, name: string, options?: { signal?: AbortSignal }): Promise<T>;
  list(options?: ListOptions): Promise<KubeList<T>>;
  /** Ends when the server closes it; an `ERROR` event is thrown as a StatusError. */
  watch(options: WatchOptions): AsyncIterable<Exclude<WatchEvent<T>, { type: 'ERROR' }>>;
}

/** What needs no more of an object than its metadata; answers hold no more of it either. */
export interface MetadataClient<T extends KubeObject = KubeObject> extends ResourceReader<T> {
  patch(
    namespace: string,
    name: string,
    type: PatchType,
    body: unknown,
    options?: WriteOptions & { readonly subresource?: string },
  ): Promise<T>;
  delete(namespace: string, name: string, options?: DeleteOptions): Promise<void>;
  deleteCollection(options: { readonly namespace: string } & DeleteOptions): Promise<void>;
}

export interface ResourceClient<T extends KubeObject> extends MetadataClient<T> {
  create(object: T, options?: WriteOptions): Promise<T>;
  update(object: T, options?: WriteOptions): Promise<T>;
  updateStatus(object: T, options?: WriteOptions): Promise<T>;
  /** PUT to a subresource that takes the object itself: `status`, `finalize`. */
  updateSubresource(object: T, subresource: string, options?: WriteOptions): Promise<T>;
  /** POST to a subresource: `token`, `binding`, `eviction`. */
  createSubresource<B, R = B>(
    namespace: string,
    name: string,
    subresource: string,
    body: B,
    options?: WriteOptions,
  ): Promise<R>;
}
