import { memberOf } from '../../../machinery/member.ts';
import { isDeepStrictEqual } from 'node:util';
import { forbidden, invalid, path, type FieldError } from '../../../machinery/field-error.ts';
import { setMember } from '../../../machinery/member.ts';
import { kindSchema } from '../../../machinery/meta.ts';
import type { ResourceDescriptor } from '../../../machinery/resource.ts';
import { boolean, bytes, map, optional, string, type Infer } from '../../../machinery/schema.ts';
import { ageColumn, allVerbs, nameColumn } from './columns.ts';
import { decodedBytes, validateKeys, validateSize } from './key-data.ts';
import { tidyApplied } from './secret-applied.ts';
import { validateType } from './secret-types.ts';
import { tlsPairError } from './tls-pair.ts';

export const SecretSchema = kindSchema(
  'io.k8s.api.core.v1.Secret',
  'Secret holds confidential data: passwords, tokens, keys.',
  {
    data: optional(
      2,
      map(bytes()),
      'The secret data: each key a name of letters, digits, "-", "_" or ".", each value base64.',
    ),
    type: optional(3, string(), 'Tells programs what the data is; cannot be changed.'),
    stringData: optional(
      4,
      map(string()),
      'Data as plain text, for writing only: merged into data, over it, and never returned.',
    ),
    immutable: optional(
      5,
      boolean(),
      'If true, data cannot be changed any more; only metadata can. Cannot be unset.',
    ),
  },
);
export type Secret = Infer<typeof SecretSchema>;

const data = path('data');

export const secretResource: ResourceDescriptor<Secret> = {
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  singular: 'secret',
  namespaced: true,
  stored: true,
  verbs: allVerbs,
  schema: SecretSchema,
  applyDefaults(secret) {
    if (secret.stringData === undefined) return;
    secret.data ??= {};
    for (const [key, value] of Object.entries(secret.stringData)) {
      setMember(secret.data, key, Buffer.from(value).toString('base64'));
    }
    delete secret.stringData;
  },
  prepareForCreate(secret) {
    if (!secret.type) secret.type = 'Opaque';
    tidyApplied(secret);
  },
  validate: secret => [
    ...validateKeys(secret.data ?? {}, data),
    ...validateSize(
      Object.values(secret.data ?? {}).reduce((sum, value) => sum + decodedBytes(value), 0),
      data,
    ),
    ...validateType(secret),
  ],
  update: {
    prepareForUpdate(next, old) {
      if (!next.type) next.type = old.type;
      tidyApplied(next, old);
    },
    validateUpdate(next, old) {
      const errors: FieldError[] = [];
      if (next.type !== old.type)
        errors.push(invalid(path('type'), next.type, 'field is immutable'));
      if (old.immutable !== true) return errors;
      const because = 'field is immutable when `immutable` is set';
      if (next.immutable !== true) errors.push(forbidden(path('immutable'), because));
      if (!isDeepStrictEqual(next.data ?? {}, old.data ?? {}))
        errors.push(forbidden(data, because));
      return errors;
    },
  },
  warnings: secret => (secret.type === 'kubernetes.io/tls' ? tlsWarnings(secret) : []),
  selectableFields: secret => ({ type: secret.type ?? '' }),
  columns: [
    nameColumn,
    {
      name: 'Type',
      type: 'string',
      description: 'What the data is',
      cell: secret => secret.type ?? '',
    },
    {
      name: 'Data',
      type: 'string',
      description: 'How many keys it holds',
      cell: secret => Object.keys(secret.data ?? {}).length,
    },
    ageColumn,
  ],
};

function tlsWarnings({ data: held = {} }: Secret): string[] {
  const pem = (key: string): string =>
    Buffer.from(memberOf(held, key) ?? '', 'base64').toString('latin1');
  const error = tlsPairError(pem('tls.crt'), pem('tls.key'));
  return error === undefined ? [] : [error];
}
