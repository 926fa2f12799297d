import {
  boolean,
  int64,
  list,
  map,
  object,
  optional,
  raw,
  required,
  string,
  time,
  type Fields,
  type Infer,
  type ObjectSchema,
} from './schema.ts';

export const OwnerReferenceSchema = object(
  'io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference',
  'The object that this one belongs to: when every owner is gone, so is this.',
  {
    apiVersion: required(5, string(), 'API version of the owner.'),
    kind: required(1, string(), 'Kind of the owner.'),
    name: required(3, string(), 'Name of the owner, in the same namespace or cluster-scoped.'),
    uid: required(4, string(), 'UID of the owner.'),
    controller: optional(6, boolean(), 'Whether the owner is the managing controller.'),
    blockOwnerDeletion: optional(
      7,
      boolean(),
      'Whether foreground deletion of the owner waits for this object.',
    ),
  },
);
export type OwnerReference = Infer<typeof OwnerReferenceSchema>;

export const ManagedFieldsEntrySchema = object(
  'io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry',
  'Which fields a manager set, and when.',
  {
    manager: optional(1, string(), 'Name of the workflow that manages these fields.'),
    operation: optional(2, string(), 'Apply or Update.'),
    apiVersion: optional(3, string(), 'Version of the resource that the field set applies to.'),
    time: optional(4, time(), 'When the entry was last changed.'),
    fieldsType: optional(6, string(), 'Always FieldsV1.'),
    fieldsV1: optional(7, raw(), 'The set of fields, in the FieldsV1 format.'),
    subresource: optional(8, string(), 'The subresource through which the fields were set.'),
  },
);

export const ObjectMetaSchema = object(
  'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
  'What every persisted object carries.',
  {
    name: optional(1, string(), 'Name, unique in its namespace; cannot be changed.'),
    generateName: optional(
      2,
      string(),
      'Prefix from which the server makes a unique name when name is not given.',
    ),
    namespace: optional(3, string(), 'The space in which the name is unique; cannot be changed.'),
    selfLink: optional(4, string(), 'No longer filled.'),
    uid: optional(5, string(), 'Identity of the object over space and time. Set by the server.'),
    resourceVersion: optional(
      6,
      string(),
      'Version of the stored object, for watches and for optimistic concurrency. Set by the server.',
    ),
    generation: optional(7, int64(), 'Sequence number of the desired state. Set by the server.'),
    creationTimestamp: optional(8, time(), 'When the object was made, in UTC. Set by the server.'),
    deletionTimestamp: optional(
      9,
      time(),
      'When the object is to be deleted. Set by the server when a graceful deletion is asked for.',
    ),
    deletionGracePeriodSeconds: optional(
      10,
      int64(),
      'Seconds the object may take to end gracefully.',
    ),
    labels: optional(
      11,
      map(string()),
      'Keys and values by which objects are organised and selected.',
    ),
    annotations: optional(
      12,
      map(string()),
      'Keys and values in which tools keep what they please; not for selecting.',
    ),
    ownerReferences: optional(13, list(OwnerReferenceSchema), 'The objects this one depends on.', {
      strategy: 'merge',
      mergeKey: 'uid',
      listType: 'map',
      listMapKeys: ['uid'],
    }),
    finalizers: optional(
      14,
      list(string()),
      'Must be empty before the object is removed; each names who is to take it out.',
      { strategy: 'merge', listType: 'set' },
    ),
    managedFields: optional(
      17,
      list(ManagedFieldsEntrySchema),
      'Which workflow manages which fields.',
      { listType: 'atomic' },
    ),
  },
);
export type ObjectMeta = Infer<typeof ObjectMetaSchema>;

export const ListMetaSchema = object(
  'io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta',
  'What every list carries.',
  {
    selfLink: optional(1, string(), 'No longer filled.'),
    resourceVersion: optional(2, string(), 'The version at which the list was read.'),
    continue: optional(3, string(), 'Token to ask for the next page with; empty on the last.'),
    remainingItemCount: optional(4, int64(), 'How many items follow this page.'),
  },
);
export type ListMeta = Infer<typeof ListMetaSchema>;

/** Any persisted object, as plain JSON. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

/** A list in its JSON form. */
export interface KubeList<T> {
  apiVersion: string;
  kind: string;
  metadata: ListMeta;
  items: T[];
}

/**
 * The schema of a top-level kind: `apiVersion`, `kind` and `metadata` (field 1), then its own fields.
 * In protobuf, apiVersion and kind travel in the envelope, hence their number 0.
 */
export function kindSchema<const F extends Fields>(
  name: string,
  description: string,
  fields: F,
): ObjectSchema<typeof typeMetaFields & F> {
  return object(name, description, { ...typeMetaFields, ...fields });
}

const typeMetaFields = {
  apiVersion: required(0, string(), 'Version of the schema of this object, such as v1.'),
  kind: required(0, string(), 'What the object is, such as Secret; cannot be changed.'),
  metadata: required(1, ObjectMetaSchema, 'Standard metadata of the object.'),
} as const;
