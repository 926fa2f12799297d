import { ageOf } from '../../../machinery/duration.ts';
import type { KubeObject } from '../../../machinery/meta.ts';
import type { Column } from '../../../machinery/resource.ts';

export const nameColumn: Column<KubeObject> = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name of the object, unique in its namespace',
  cell: object => object.metadata.name ?? '',
};

export const ageColumn: Column<KubeObject> = {
  name: 'Age',
  type: 'string',
  description: 'Time since the object was made',
  cell: (object, now) => ageOf(object.metadata.creationTimestamp, now),
};

/** All that most resources can do. */
export const allVerbs = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
] as const;
