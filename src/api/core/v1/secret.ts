import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  forbidden,
  invalid,
  path,
  requiredField,
  type FieldError,
} from '../../../machinery/field-error.ts';
import { kindSchema } from '../../../machinery/meta.ts';
import type { ResourceDescriptor } from '../../../machinery/resource.ts';
import { boolean, bytes, map, optional, string, type Infer } from '../../../machinery/schema.ts';
import { ageColumn, allVerbs, nameColumn } from './columns.ts';
import { decodedBytes, validateKeys, validateSize } from './key-data.ts';

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
    const encoded = Object.entries(secret.stringData).map(
      ([key, value]) => [key, Buffer.from(value).toString('base64')] as const,
    );
    if (encoded.length > 0) secret.data = { ...secret.data, ...Object.fromEntries(encoded) };
    delete secret.stringData;
  },
  prepareForCreate(secret) {
    if (!secret.type) secret.type = 'Opaque';
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

/** What the built-in types must hold. Values are never shown. */
function validateType(secret: Secret): FieldError[] {
  const has = (key: string): boolean => Object.hasOwn(secret.data ?? {}, key);
  const missing = (...keys: string[]): FieldError[] =>
    keys.filter(key => !has(key)).map(key => requiredField(data.key(key)));
  switch (secret.type) {
    case 'kubernetes.io/service-account-token': {
      const name = 'kubernetes.io/service-account.name';
      return secret.metadata.annotations?.[name]
        ? []
        : [requiredField(path('metadata.annotations').key(name))];
    }
    case 'kubernetes.io/dockercfg':
      return validateDockerConfig(secret, '.dockercfg');
    case 'kubernetes.io/dockerconfigjson':
      return validateDockerConfig(secret, '.dockerconfigjson');
    case 'kubernetes.io/basic-auth':
      return has('username') || has('password') ? [] : missing('username', 'password');
    case 'kubernetes.io/ssh-auth':
      return secret.data?.['ssh-privatekey'] ? [] : [requiredField(data.key('ssh-privatekey'))];
    case 'kubernetes.io/tls':
      return missing('tls.crt', 'tls.key');
    default:
      return [];
  }
}

function validateDockerConfig(secret: Secret, key: string): FieldError[] {
  const encoded = secret.data?.[key];
  if (encoded === undefined) return [requiredField(data.key(key))];
  const wrong = (detail: string): FieldError[] => [
    invalid(data.key(key), '<secret contents redacted>', detail),
  ];
  const text = Buffer.from(encoded, 'base64').toString();
  if (text === '') return wrong('unexpected end of JSON input');
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? []
      : wrong('json: cannot unmarshal value into Go value of type map[string]interface {}');
  } catch {
    // JSON.parse quotes the text in its message: that stays here.
    return wrong('invalid character in JSON');
  }
}

function tlsWarnings(secret: Secret): string[] {
  const pem = (key: string): string => Buffer.from(secret.data?.[key] ?? '', 'base64').toString();
  try {
    const matches = new X509Certificate(pem('tls.crt')).checkPrivateKey(
      createPrivateKey(pem('tls.key')),
    );
    return matches ? [] : ['tls: private key does not match public key'];
  } catch {
    return ['tls: failed to find any PEM data in certificate or key input'];
  }
}
