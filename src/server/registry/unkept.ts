import type { KubeObject } from '../../machinery/meta.ts';
import type { StoredObject } from './object-store.ts';

/** An object as it would be answered had it been kept: the outcome of a dry run. */
export const unkept = (object: KubeObject): StoredObject => ({
  namespace: object.metadata.namespace ?? '',
  name: object.metadata.name ?? '',
  resourceVersion: Number(object.metadata.resourceVersion ?? 0),
  json: Buffer.from(JSON.stringify(object)),
  object: () => object,
});
