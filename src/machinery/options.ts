import { boolean, int64, list, object, optional, string, type Infer } from './schema.ts';

export const PreconditionsSchema = object(
  'io.k8s.apimachinery.pkg.apis.meta.v1.Preconditions',
  'What must be true of the object for the operation to go on.',
  {
    uid: optional(1, string(), 'The UID that the object must have.'),
    resourceVersion: optional(2, string(), 'The version that the object must have.'),
  },
);

export const DeleteOptionsSchema = object(
  'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions',
  'How an object is to be deleted.',
  {
    apiVersion: optional(0, string(), 'Version of the schema of this object.'),
    kind: optional(0, string(), 'DeleteOptions.'),
    gracePeriodSeconds: optional(1, int64(), 'Seconds until the object is removed; 0 is at once.'),
    preconditions: optional(2, PreconditionsSchema, 'What must be true before it is deleted.'),
    orphanDependents: optional(3, boolean(), 'Deprecated: use propagationPolicy.'),
    propagationPolicy: optional(4, string(), 'Orphan, Background or Foreground.'),
    dryRun: optional(5, list(string()), '`All` runs the request without keeping anything.'),
  },
);
export type DeleteOptionsBody = Infer<typeof DeleteOptionsSchema>;
