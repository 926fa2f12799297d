import type { FieldError } from './field-error.ts';
import type { KubeObject } from './meta.ts';
import type { ObjectSchema } from './schema.ts';

export type Verb =
  'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch';

/** What names a resource on the wire: enough for a client. */
export interface ResourceRef<T extends KubeObject = KubeObject> {
  /** `''` for core. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Carries the type only; never set. */
  readonly object?: T;
}

/** A column of a server-side table (`kubectl get`). */
export interface Column<T> {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date' | 'boolean' | 'number';
  readonly format?: string;
  readonly description: string;
  /** 0 is always shown; 1 with `-o wide`. */
  readonly priority?: number;
  /** @param now milliseconds since the epoch, for ages */
  cell(object: T, now: number): string | number | boolean | null;
}

/** What the strategy functions may know of the request. */
export interface StrategyContext {
  /** RFC 3339, whole seconds, UTC: one time for the whole request. */
  readonly now: string;
  /** The tail of a generated name, five characters of Kubernetes' alphabet. */
  readonly randomSuffix: () => string;
}

/** How a part of an object may be written: the whole of it (its status apart), or its status. */
export interface UpdateStrategy<T> {
  /** Takes back what this write may not touch; fills what it must. Changes `next` in place. */
  prepareForUpdate(next: T, old: T, context: StrategyContext): void;
  /** Rules beyond `validate`: what may not change. */
  validateUpdate(next: T, old: T): FieldError[];
}

/**
 * A subresource, as discovery shows it. One with `update` is a part of the object that is read and
 * written by itself; what the others do is the server's (`src/server/subresources`).
 */
export interface SubresourceDescriptor<T = KubeObject> {
  /** Kind of its body: `Pod` for status, `PodExecOptions` for exec, `TokenRequest` for token. */
  readonly kind: string;
  /** When it differs from the resource's own. */
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly ('create' | 'get' | 'patch' | 'update')[];
  /** Turns the connection into streams of a container (exec, attach, port-forward). */
  readonly connects?: true;
  readonly update?: UpdateStrategy<T>;
}

/**
 * A further version in which a resource is served. Objects are stored, defaulted and validated in
 * the descriptor's own version, and converted on their way in and out.
 */
export interface ServedVersion<T extends KubeObject = KubeObject> {
  readonly version: string;
  readonly schema: ObjectSchema;
  /** @default the columns of the descriptor, on the converted object */
  readonly columns?: readonly Column<KubeObject>[];
  toStored(object: KubeObject): T;
  fromStored(object: T): KubeObject;
}

/**
 * Everything that sets one resource apart. Routing, discovery, OpenAPI, tables, patch, watch and the
 * validation of structure are written once and driven by it.
 */
export interface ResourceDescriptor<T extends KubeObject = KubeObject> extends ResourceRef<T> {
  readonly singular: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  /** Absent for resources that are only asked, never kept (TokenReview): those have `create` alone. */
  readonly stored: boolean;
  readonly verbs: readonly Verb[];
  /** Not shown by discovery: only clients that know of it find it. */
  readonly isUndiscovered?: true;
  readonly schema: ObjectSchema;
  readonly subresources?: Readonly<Record<string, SubresourceDescriptor<T>>>;
  /** Served besides `version`, which is the one that is stored. */
  readonly otherVersions?: readonly ServedVersion<T>[];
  /** `metadata.generation` counts the changes of `spec`. */
  readonly tracksGeneration?: true;

  /** Fills what the user left out, in place. Runs on every decoded body, create and update alike. */
  applyDefaults?(object: T): void;
  /** Drops what a client may not set (status), fills what the server owns. In place. */
  prepareForCreate?(object: T, context: StrategyContext): void;
  /** The object's own rules; those of metadata are the server's. Runs on create and update. */
  validate?(object: T): FieldError[];
  /** Further rules for new objects only: stored ones may break them. */
  validateCreate?(object: T): FieldError[];
  readonly update?: UpdateStrategy<T>;
  /** Lines for `Warning:` headers. `old` is absent on create. Never holds a secret's value. */
  warnings?(object: T, old?: T): string[];
  /** Fields for fieldSelector, besides metadata.name and metadata.namespace. */
  selectableFields?(object: T): Record<string, string>;
  /** NAME and AGE are written out here too: the columns are exactly these. */
  readonly columns: readonly Column<T>[];
  /** Whether PUT may omit metadata.resourceVersion. Default true. */
  readonly allowUnconditionalUpdate?: boolean;
  /** Whether PUT to an absent name creates it (leases and events may). Default false. */
  readonly allowCreateOnUpdate?: boolean;
  /**
   * Seconds an object may take to end after DELETE; absent where it ends at once. `asked` is the
   * DeleteOptions' value. Answers 0 for "remove now".
   */
  gracePeriodSeconds?(object: T, asked: number | undefined): number;
  /** What changes in an object when its deletion begins, besides its metadata. In place. */
  beginDeletion?(object: T): void;
  /** Whether a deleted object may be removed once its metadata has no finalizers. Default true. */
  isFinalized?(object: T): boolean;
  /** Seconds after its last write at which the object ends by itself (events). */
  readonly ttlSeconds?: number;
  /** The resource whose objects these are, in another form: events.k8s.io's are core's. */
  readonly storedAs?: {
    readonly group: string;
    readonly plural: string;
    toStored(object: KubeObject): KubeObject;
    fromStored(object: KubeObject): KubeObject;
  };
  /** How names are checked. Default `dns-subdomain`. */
  readonly nameRule?: 'dns-subdomain' | 'dns-label' | 'path-segment';
}

/** `v1`, `coordination.k8s.io/v1`. */
export const apiVersionOf = ({ group, version }: { group: string; version: string }): string =>
  group === '' ? version : `${group}/${version}`;

/** `secrets`, `leases.coordination.k8s.io`: what names a resource in every version. */
export const groupResourceOf = ({ group, plural }: { group: string; plural: string }): string =>
  group === '' ? plural : `${plural}.${group}`;

/**
 * The order of versions by stability, most preferred first (apimachinery's version.CompareKubeAwareVersionStrings):
 * v2, v1, v1beta2, v1alpha1, and then whatever is named otherwise, by its letters.
 */
export function compareVersions(a: string, b: string): number {
  const [first, second] = [parseVersion(a), parseVersion(b)];
  if (first === undefined || second === undefined) {
    if (first !== undefined) return -1;
    return second === undefined && a < b ? -1 : 1;
  }
  const differing = first.findIndex((each, i) => each !== second[i]);
  return differing === -1 ? 0 : (second[differing] ?? 0) - (first[differing] ?? 0);
}

/** Stability, major, minor. */
function parseVersion(version: string): readonly [number, number, number] | undefined {
  const [, major, stability = '', minor] =
    /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(version) ?? [];
  if (major === undefined) return undefined;
  return [stability === '' ? 2 : stability === 'beta' ? 1 : 0, Number(major), Number(minor ?? 0)];
}
