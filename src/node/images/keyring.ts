import type { Secret } from '../../api/core/v1/secret.ts';
import type { AuthConfig } from '../runtime/runtime.ts';
import { dockerConfigOf } from './docker-config.ts';

/** Credentials, and the Secret that they come from. */
export interface PullCredential {
  readonly auth: AuthConfig;
  readonly secret: SecretCoordinates;
}

export interface SecretCoordinates {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
}

/** Credentials by registry, as pull secrets hold them. */
export interface Keyring {
  /** Credentials for an image's repository (no tag, no digest), the most specific first; all of them are tried. */
  lookup(repository: string): PullCredential[];
}

interface Entry extends PullCredential {
  readonly key: string;
}

/** kubelet's credentialprovider keyring. Other types of Secret are left out. @throws PullSecretError */
export function createKeyring(secrets: readonly Secret[]): Keyring {
  // Reverse order puts longer paths first; the sort is stable, so that secrets keep their order.
  const entries = secrets
    .flatMap(entriesOf)
    .toSorted((a, b) => (a.key < b.key ? 1 : a.key > b.key ? -1 : 0));
  return {
    lookup(repository) {
      const found = entries.filter(({ key }) => matches(key, repository));
      const hub =
        found.length > 0 || !isDockerHub(repository)
          ? []
          : entries.filter(({ key }) => key === 'index.docker.io');
      return [...found, ...hub].map(({ auth, secret }) => ({ auth, secret }));
    },
  };
}

function entriesOf(secret: Secret): Entry[] {
  const { uid = '', namespace = '', name = '' } = secret.metadata;
  return dockerConfigOf(secret).flatMap(({ registry, username, password }) => {
    const key = registryKey(registry);
    // As the kubelet: what is no URL is left out.
    return key === undefined
      ? []
      : [{ key, auth: { username, password }, secret: { uid, namespace, name } }];
  });
}

/** `https://index.docker.io/v1/` → `index.docker.io`; a path that means something stays. */
function registryKey(registry: string): string | undefined {
  const [, authority = '', rawPath = ''] =
    /^(?:https?:\/\/)?([^/?#]*)([^?#]*)/.exec(registry) ?? [];
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  if (!hostRule.test(host)) return undefined;
  try {
    const path = decodeURIComponent(rawPath).replace(/^\/v[12]\//, '/');
    return path === '/' ? host : `${host}${path}`;
  } catch {
    return undefined;
  }
}

/** What Go's net/url takes as a host, with a port or without. */
const hostRule = /^(?:\[[^\]]*\]|(?!\[)[^:\s%^`{|}\\]*)(?::\d*)?$/;

/** Same port, as many labels, each label a glob of its own, and the path a plain prefix. */
function matches(key: string, repository: string): boolean {
  const entry = splitHost(key);
  const image = splitHost(repository);
  if (entry.port !== image.port || entry.labels.length !== image.labels.length) return false;
  return (
    image.path.startsWith(entry.path) &&
    entry.labels.every((label, i) => glob(label)?.test(image.labels[i] ?? '') === true)
  );
}

function splitHost(text: string): { labels: string[]; port: string; path: string } {
  const [, host = '', port = '', path = ''] =
    /^(\[[^\]]*\]|[^:/]*)(?::(\d*))?(.*)$/s.exec(text) ?? [];
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  return { labels: bare.split('.'), port, path };
}

/** Go's filepath.Match within one label; a pattern that is none matches nothing. */
function glob(pattern: string): RegExp | undefined {
  if (/\[(?![^\]]+\])/.test(pattern)) return undefined;
  const source = pattern.replaceAll(/\[[^\]]+\]|\W/g, part => {
    if (part === '*') return '.*';
    return part.length > 1 ? part : `\\${part}`;
  });
  try {
    return new RegExp(`^${source}$`, 's');
  } catch {
    return undefined;
  }
}

function isDockerHub(repository: string): boolean {
  const [first = '', ...rest] = repository.split('/');
  if (first === '') return false;
  return (
    rest.length === 0 || !/[.:]/.test(first) || first === 'docker.io' || first === 'index.docker.io'
  );
}
