import { shorten } from './shorten.ts';

/** An image reference in full. */
export interface ImageName {
  /** Host and path: `docker.io/library/redis`. */
  readonly repository: string;
  /** What is pulled: with the tag or digest. */
  readonly full: string;
  /** `latest` where neither tag nor digest is given; undefined with a digest alone. */
  readonly tag: string | undefined;
}

const label = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const domain = `(?:${label}(?:\\.${label})*|\\[[a-fA-F0-9:]+\\])(?::\\d+)?`;
const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const repositoryRule = new RegExp(`^${domain}(?:/${component})+$`);
const tagRule = /^\w[\w.-]{0,127}$/;
const digestRule = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const digestHexLength: ReadonlyMap<string, number> = new Map([
  ['sha256', 64],
  ['sha384', 96],
  ['sha512', 128],
]);
const maxRepositoryLength = 255;
/** Names that are so long are not matched against the grammar. */
const maxMatchedLength = 16 * 1024;

/**
 * Docker's grammar of references: `redis` is `docker.io/library/redis:latest`.
 * @throws SyntaxError in Kubernetes' words
 */
export function parseImageName(image: string): ImageName {
  const name = readImageName(image);
  if (typeof name !== 'string') return name;
  throw new SyntaxError(`couldn't parse image name ${JSON.stringify(shorten(image))}: ${name}`);
}

/** As `parseImageName`, where a wrong name is no surprise. @returns why it is wrong, if it is */
export function readImageName(image: string): ImageName | string {
  if (image.length > maxMatchedLength)
    return `repository name must not be more than ${maxRepositoryLength} characters`;
  const at = image.indexOf('@');
  const digest = at < 0 ? undefined : image.slice(at + 1);
  const rest = at < 0 ? image : image.slice(0, at);
  const tag = /:([^/:]*)$/.exec(rest)?.[1];
  const name = tag === undefined ? rest : rest.slice(0, -(tag.length + 1));
  const repository = withDomain(name);
  const why = whyWrong({ image, repository, tag, digest });
  if (why !== undefined) return why;
  const effective = tag ?? (digest === undefined ? 'latest' : undefined);
  const suffix = `${effective === undefined ? '' : `:${effective}`}${digest === undefined ? '' : `@${digest}`}`;
  return { repository, full: `${repository}${suffix}`, tag: effective };
}

interface Parts {
  readonly image: string;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** In the words and the order of Docker's parser. */
function whyWrong({ image, repository, tag, digest }: Parts): string | undefined {
  if (/^[a-f0-9]{64}$/.test(image))
    return `invalid repository name (${image}), cannot specify 64-byte hexadecimal strings`;
  const path = repository.slice(repository.indexOf('/') + 1);
  if (path !== path.toLowerCase())
    return `invalid reference format: repository name (${shorten(path)}) must be lowercase`;
  if (
    !repositoryRule.test(repository) ||
    (tag !== undefined && !tagRule.test(tag)) ||
    (digest !== undefined && !digestRule.test(digest))
  )
    return 'invalid reference format';
  if (repository.length > maxRepositoryLength)
    return `repository name must not be more than ${maxRepositoryLength} characters`;
  if (digest === undefined) return undefined;
  const [algorithm = '', hex = ''] = digest.split(':');
  const length = digestHexLength.get(algorithm);
  if (length === undefined) return 'unsupported digest algorithm';
  if (hex.length !== length) return 'invalid checksum digest length';
  return hex === hex.toLowerCase() ? undefined : 'invalid checksum digest format';
}

function withDomain(name: string): string {
  const [first = '', ...rest] = name.split('/');
  const hasDomain =
    rest.length > 0 &&
    (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  if (!hasDomain) return `docker.io/${rest.length === 0 ? `library/${name}` : name}`;
  const domain = first === 'index.docker.io' ? 'docker.io' : first;
  return `${domain}/${domain === 'docker.io' && rest.length === 1 ? 'library/' : ''}${rest.join('/')}`;
}
