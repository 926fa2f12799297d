import { memberOf } from '../../../machinery/member.ts';
import { goJsonError } from '../../../machinery/decode/go-json.ts';
import { jsonType } from '../../../machinery/decode/structure.ts';
import { invalid, path, requiredField, type FieldError } from '../../../machinery/field-error.ts';
import type { ObjectMeta } from '../../../machinery/meta.ts';

const data = path('data');

interface TypedData {
  readonly metadata: ObjectMeta;
  readonly type?: string | undefined;
  readonly data?: Readonly<Record<string, string>> | undefined;
}

/** What the built-in types must hold. Values are never shown. */
export function validateType(secret: TypedData): FieldError[] {
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

/** A JSON object, or null, which Go reads into a map too. */
function validateDockerConfig(secret: TypedData, key: string): FieldError[] {
  const encoded = memberOf(secret.data, key);
  if (encoded === undefined) return [requiredField(data.key(key))];
  const words = notAnObject(Buffer.from(encoded, 'base64'));
  return words === undefined ? [] : [invalid(data.key(key), '<secret contents redacted>', words)];
}

function notAnObject(json: Buffer): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json.toString());
  } catch {
    // V8's message quotes the text, which is a secret's.
    return goJsonError(json) ?? 'invalid JSON';
  }
  const type = jsonType(value);
  return type === 'object' || type === 'null'
    ? undefined
    : `json: cannot unmarshal ${type} into Go value of type map[string]interface {}`;
}
