/** An image reference in full. */
export interface ImageName {
  /** Host and path: `docker.io/library/redis`. */
  readonly repository: string;
  /** What is pulled: with the tag or digest. */
  readonly full: string;
}

const pathComponent = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const repositoryRule = new RegExp(
  `^(?:[a-zA-Z0-9.-]+(?::\\d+)?/)?${pathComponent}(?:/${pathComponent})*$`,
);
const tagRule = /^\w[\w.-]{0,127}$/;
const digestRule = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;

/**
 * Docker's grammar of references: `redis` is `docker.io/library/redis:latest`.
 * @throws SyntaxError in the kubelet's words
 */
export function parseImageName(image: string): ImageName {
  const at = image.indexOf('@');
  const digest = at < 0 ? undefined : image.slice(at + 1);
  const rest = at < 0 ? image : image.slice(0, at);
  const tag = /:([^/:]*)$/.exec(rest)?.[1];
  const name = tag === undefined ? rest : rest.slice(0, -(tag.length + 1));
  const repository = withDomain(name);
  const wrong = (detail: string): SyntaxError =>
    new SyntaxError(
      `Failed to apply default image tag "${image}": couldn't parse image name "${image}": invalid reference format${detail}`,
    );
  const path = repository.slice(repository.indexOf('/') + 1);
  if (path !== path.toLowerCase()) throw wrong(`: repository name (${path}) must be lowercase`);
  if (!repositoryRule.test(repository)) throw wrong('');
  if (tag !== undefined && !tagRule.test(tag)) throw wrong('');
  if (digest !== undefined && !digestRule.test(digest)) throw wrong('');
  const suffix =
    digest === undefined
      ? `:${tag ?? 'latest'}`
      : `${tag === undefined ? '' : `:${tag}`}@${digest}`;
  return { repository, full: `${repository}${suffix}` };
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
