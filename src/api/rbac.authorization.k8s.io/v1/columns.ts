import type { KubeObject } from '../../../machinery/meta.ts';
import type { Column } from '../../../machinery/resource.ts';

/** Roles have no columns of their own in Kubernetes: these are what every such kind gets. */
export const createdAtColumn: Column<KubeObject> = {
  name: 'Created At',
  type: 'date',
  description: 'When the object was made',
  cell: object => object.metadata.creationTimestamp ?? '',
};
