import type { Secret } from '../../api/core/v1/secret.ts';

/** What a pull secret says of one registry. */
export interface DockerConfigEntry {
  /** As it is written there: `https://index.docker.io/v1/`. */
  readonly registry: string;
  readonly username: string;
  readonly password: string;
}

/** A pull secret that cannot be read. Names it, and never quotes it. */
export class PullSecretError extends Error {
  constructor(secret: string, why: string) {
    super(`unable to parse the pull secret ${JSON.stringify(secret)}: ${why}`);
    this.name = 'PullSecretError';
  }
}

/** Credentials of a Secret of one of the two pull types; any other Secret has none. @throws PullSecretError */
export function dockerConfigOf(secret: Secret): DockerConfigEntry[] {
  const { type, data = {}, metadata } = secret;
  const isJson = type === 'kubernetes.io/dockerconfigjson';
  if (!isJson && type !== 'kubernetes.io/dockercfg') return [];
  const encoded = data[isJson ? '.dockerconfigjson' : '.dockercfg'] ?? '';
  if (encoded === '') return [];
  const fail = (why: string): PullSecretError => new PullSecretError(metadata.name ?? '', why);
  const object = (value: unknown): Record<string, unknown> => {
    if (value === null || value === undefined) return {};
    if (typeof value !== 'object' || Array.isArray(value))
      throw fail('it does not hold a Docker configuration');
    return value as Record<string, unknown>;
  };

  const config = object(parse(encoded, fail));
  const registries = object(isJson ? field(config, 'auths') : config);
  return Object.entries(registries).map(([registry, value]) => {
    const entry = object(value);
    const text = (name: string): string => {
      const found = field(entry, name) ?? '';
      if (typeof found !== 'string') throw fail(`${name} of a registry is not a string`);
      return found;
    };
    const [username, password, auth] = [text('username'), text('password'), text('auth')];
    return { registry, ...(auth === '' ? { username, password } : decodeAuth(auth, fail)) };
  });
}

type Fail = (why: string) => PullSecretError;

function parse(encoded: string, fail: Fail): unknown {
  try {
    return JSON.parse(Buffer.from(encoded, 'base64').toString());
  } catch {
    // The parser's message quotes the text.
    throw fail('it is not JSON');
  }
}

/** Go reads names of fields in any case, the last one wins. */
const field = (object: Record<string, unknown>, name: string): unknown =>
  Object.entries(object).findLast(([key]) => key.toLowerCase() === name)?.[1];

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

/** `auth` is base64, padded or not, of `user:password`; it wins over both. */
function decodeAuth(auth: string, fail: Fail): { username: string; password: string } {
  const encoded = auth.replaceAll(/[\r\n]/g, '');
  const text = base64.test(encoded) ? Buffer.from(encoded, 'base64').toString() : '';
  const cut = text.indexOf(':');
  if (cut < 0)
    throw fail('unable to parse auth field, must be formatted as base64(username:password)');
  return { username: text.slice(0, cut), password: text.slice(cut + 1) };
}
