import type { KubeObject } from '../../machinery/meta.ts';
import type { ResourceDescriptor } from '../../machinery/resource.ts';
import type { StoredObject } from '../registry/object-store.ts';

export type IncludeObject = 'None' | 'Metadata' | 'Object';

export interface ListMetadata {
  readonly resourceVersion?: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

export interface Table {
  readonly kind: 'Table';
  readonly apiVersion: 'meta.k8s.io/v1';
  readonly metadata: ListMetadata;
  readonly columnDefinitions: readonly object[] | null;
  readonly rows: readonly object[];
}

/** meta.k8s.io/v1 Table: what `kubectl get` prints. */
export function tableOf(
  descriptor: ResourceDescriptor,
  items: readonly StoredObject[],
  options: { metadata: ListMetadata; includeObject: IncludeObject; columns: boolean; now?: number },
): Table {
  const now = options.now ?? Date.now();
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: options.metadata,
    columnDefinitions: options.columns ? columnDefinitions(descriptor) : null,
    rows: items.map(item => rowOf(descriptor, item, { ...options, now })),
  };
}

export function rowOf(
  descriptor: ResourceDescriptor,
  item: StoredObject,
  { includeObject, now }: { readonly includeObject: IncludeObject; readonly now: number },
): object {
  const object = item.object();
  return {
    cells: descriptor.columns.map(column => column.cell(object, now)),
    ...rowObject(object, includeObject),
  };
}

const columnDefinitions = (descriptor: ResourceDescriptor): object[] =>
  descriptor.columns.map(({ name, type, format = '', description, priority = 0 }) => ({
    name,
    type,
    format,
    description,
    priority,
  }));

function rowObject(object: KubeObject, include: IncludeObject): { object?: object } {
  if (include === 'None') return {};
  return { object: include === 'Object' ? object : partialMetadata(object) };
}

/** meta.k8s.io/v1 PartialObjectMetadata. */
export const partialMetadata = (object: KubeObject): object => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata: object.metadata,
});
