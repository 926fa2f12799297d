import { isDeepStrictEqual } from 'node:util';
import {
  forbidden,
  invalid,
  path,
  validateEach,
  type FieldError,
} from '../../../machinery/field-error.ts';
import { kindSchema } from '../../../machinery/meta.ts';
import type { ResourceDescriptor } from '../../../machinery/resource.ts';
import { boolean, bytes, map, optional, string, type Infer } from '../../../machinery/schema.ts';
import { ageColumn, allVerbs, nameColumn } from './columns.ts';
import { decodedBytes, validateKeys, validateSize } from './key-data.ts';

export const ConfigMapSchema = kindSchema(
  'io.k8s.api.core.v1.ConfigMap',
  'ConfigMap holds configuration for pods to consume.',
  {
    data: optional(2, map(string()), 'Text by key.'),
    binaryData: optional(3, map(bytes()), 'Bytes by key, base64; keys differ from those of data.'),
    immutable: optional(4, boolean(), 'If true, the data cannot be changed any more.'),
  },
);
export type ConfigMap = Infer<typeof ConfigMapSchema>;

export const configMapResource: ResourceDescriptor<ConfigMap> = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  singular: 'configmap',
  shortNames: ['cm'],
  namespaced: true,
  stored: true,
  verbs: allVerbs,
  schema: ConfigMapSchema,
  validate({ data = {}, binaryData = {} }) {
    const text = Object.values(data).reduce((sum, value) => sum + Buffer.byteLength(value), 0);
    const binary = Object.values(binaryData).reduce((sum, value) => sum + decodedBytes(value), 0);
    return [
      ...validateKeys(data, path('data')),
      ...validateEach(
        Object.keys(binaryData).filter(key => Object.hasOwn(data, key)),
        key => [invalid(path('data').key(key), key, 'duplicate of key present in binaryData')],
      ),
      ...validateKeys(binaryData, path('binaryData')),
      ...validateSize(text + binary, path('[]')),
    ];
  },
  update: {
    prepareForUpdate: () => undefined,
    validateUpdate(next, old) {
      if (old.immutable !== true) return [];
      const because = 'field is immutable when `immutable` is set';
      const errors: FieldError[] = [];
      if (next.immutable !== true) errors.push(forbidden(path('immutable'), because));
      for (const field of ['data', 'binaryData'] as const) {
        if (!isDeepStrictEqual(next[field] ?? {}, old[field] ?? {})) {
          errors.push(forbidden(path(field), because));
        }
      }
      return errors;
    },
  },
  columns: [
    nameColumn,
    {
      name: 'Data',
      type: 'string',
      description: 'How many keys it holds',
      cell: ({ data = {}, binaryData = {} }) =>
        Object.keys(data).length + Object.keys(binaryData).length,
    },
    ageColumn,
  ],
};
