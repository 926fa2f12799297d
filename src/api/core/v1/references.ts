import {
  boolean,
  int32,
  int64,
  list,
  object,
  optional,
  quantity,
  required,
  string,
  within,
  type Infer,
} from '../../../machinery/schema.ts';

const core = 'io.k8s.api.core.v1';

const nameField = optional(1, string(), 'Name of the object, in the same namespace.');

export const LocalObjectReferenceSchema = object(
  `${core}.LocalObjectReference`,
  'Names an object of the same namespace.',
  { name: nameField },
);
export type LocalObjectReference = Infer<typeof LocalObjectReferenceSchema>;

/** The name of a LocalObjectReference that is inlined as field 1. */
export const localName = within(1, { name: nameField });

export const ObjectReferenceSchema = object(`${core}.ObjectReference`, 'Names any object.', {
  kind: optional(1, string(), 'Kind of the object.'),
  namespace: optional(2, string(), 'Namespace of the object.'),
  name: optional(3, string(), 'Name of the object.'),
  uid: optional(4, string(), 'UID of the object.'),
  apiVersion: optional(5, string(), 'API version of the object.'),
  resourceVersion: optional(6, string(), 'Version of the object.'),
  fieldPath: optional(7, string(), 'Which part of it, such as spec.containers{name}.'),
});
export type ObjectReference = Infer<typeof ObjectReferenceSchema>;

export const ObjectFieldSelectorSchema = object(
  `${core}.ObjectFieldSelector`,
  'Names a field of the pod.',
  {
    apiVersion: optional(1, string(), 'Version that the path is written for; v1.'),
    fieldPath: required(2, string(), 'Path of the field, such as metadata.name.'),
  },
);

export const ResourceFieldSelectorSchema = object(
  `${core}.ResourceFieldSelector`,
  'Names a request or limit of a container.',
  {
    containerName: optional(1, string(), 'The container; in a variable, its own.'),
    resource: required(2, string(), 'Such as limits.memory.'),
    divisor: optional(3, quantity(), 'The unit of the answer; 1 by default.'),
  },
);

const keySelector = <const N extends string>(name: N, of: string) =>
  object(`${core}.${name}`, `Names a key of a ${of}.`, {
    ...localName,
    key: required(2, string(), `The key in the ${of}.`),
    optional: optional(3, boolean(), `Whether the ${of} or its key may be absent.`),
  });
export const SecretKeySelectorSchema = keySelector('SecretKeySelector', 'Secret');
export const ConfigMapKeySelectorSchema = keySelector('ConfigMapKeySelector', 'ConfigMap');

export const KeyToPathSchema = object(`${core}.KeyToPath`, 'Puts a key at a path in a volume.', {
  key: required(1, string(), 'The key to project.'),
  path: required(2, string(), 'Where to: relative, without "..".'),
  mode: optional(3, int32(), 'Permission bits of the file, 0 to 0777; JSON needs decimal.'),
  user: optional(4, int64(), 'UID that owns the file; over defaultUser.'),
});
export type KeyToPath = Infer<typeof KeyToPathSchema>;

export const keyToPathList = (number: number) =>
  optional(number, list(KeyToPathSchema), 'Only these keys, each at its path; all keys if empty.', {
    listType: 'atomic',
  });
