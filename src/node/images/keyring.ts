import type { Secret } from '../../api/core/v1/secret.ts';
import type { AuthConfig } from '../runtime/runtime.ts';

/** Credentials by registry, as pull secrets hold them. */
export interface Keyring {
  /** Credentials for an image's repository (no tag, no digest), the most specific first; all of them are tried. */
  lookup(repository: string): AuthConfig[];
}

/** A pull secret that cannot be read. Names it, and never quotes it. */
export class KeyringError extends Error {
  constructor(secret: string) {
    super(
      `unable to parse the pull secret ${JSON.stringify(secret)}: it does not hold a Docker configuration`,
    );
    this.name = 'KeyringError';
  }
}

interface Entry {
  readonly key: string;
  readonly auth: AuthConfig;
}

/** kubelet's credentialprovider keyring. Other types of Secret are left out. @throws KeyringError */
export function createKeyring(secrets: readonly Secret[]): Keyring {
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
      return [...found, ...hub].map(({ auth }) => auth);
    },
  };
}

interface DockerEntry {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
}

function entriesOf(secret: Secret): Entry[] {
  const json = secret.type === 'kubernetes.io/dockerconfigjson';
  const encoded = json
    ? secret.data?.['.dockerconfigjson']
    : secret.type === 'kubernetes.io/dockercfg'
      ? secret.data?.['.dockercfg']
      : undefined;
  if (encoded === undefined) return [];
  const name = secret.metadata.name ?? '';
  let config: Record<string, DockerEntry> | undefined;
  try {
    const value = JSON.parse(Buffer.from(encoded, 'base64').toString()) as Record<string, unknown>;
    config = (json ? value['auths'] : value) as Record<string, DockerEntry> | undefined;
  } catch {
    // The parser's message quotes the text: only the secret's name is told.
    throw new KeyringError(name);
  }
  return Object.entries(config ?? {}).map(([registry, entry]) => ({
    key: registryKey(registry),
    auth: credentials(entry, name),
  }));
}

/** `auth` is base64 of `user:password` and wins. */
function credentials(
  { username = '', password = '', auth }: DockerEntry,
  secret: string,
): AuthConfig {
  if (auth === undefined || auth === '') return { username, password };
  const text = Buffer.from(auth, 'base64').toString();
  const cut = text.indexOf(':');
  if (cut < 0) throw new KeyringError(secret);
  return { username: text.slice(0, cut), password: text.slice(cut + 1).replace(/\0+$/, '') };
}

/** `https://index.docker.io/v1/` → `index.docker.io`; a path that means something stays. */
function registryKey(registry: string): string {
  const url = registry.replace(/^https?:\/\//, '');
  const cut = url.indexOf('/');
  const host = cut < 0 ? url : url.slice(0, cut);
  const path = (cut < 0 ? '' : url.slice(cut)).replace(/^\/v[12]\//, '/');
  return path === '' || path === '/' ? host : `${host}${path}`;
}

/** Same port, as many labels, each label a glob of its own, and the path a plain prefix. */
function matches(key: string, repository: string): boolean {
  const entry = splitHost(key);
  const image = splitHost(repository);
  if (entry.port !== image.port || entry.labels.length !== image.labels.length) return false;
  return (
    entry.labels.every((label, i) => glob(label).test(image.labels[i] ?? '')) &&
    image.path.startsWith(entry.path)
  );
}

function splitHost(text: string): { labels: string[]; port: string; path: string } {
  const cut = text.indexOf('/');
  const [host = '', port = ''] = (cut < 0 ? text : text.slice(0, cut)).split(':');
  return { labels: host.split('.'), port, path: cut < 0 ? '' : text.slice(cut) };
}

/** Go's filepath.Match within one label. */
function glob(pattern: string): RegExp {
  const source = pattern.replaceAll(/\[[^\]]*\]|[.+^${}()|\\]|\*|\?/g, part => {
    if (part === '*') return '[^.]*';
    if (part === '?') return '[^.]';
    return part.startsWith('[') ? part : `\\${part}`;
  });
  return new RegExp(`^${source}$`);
}

function isDockerHub(repository: string): boolean {
  const [first = '', ...rest] = repository.split('/');
  return (
    rest.length === 0 || !/[.:]/.test(first) || first === 'docker.io' || first === 'index.docker.io'
  );
}
