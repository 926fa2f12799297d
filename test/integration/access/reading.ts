/**
 * What a request asks for by Kubernetes' rules, worked out without the server's code.
 * Paths and verbs: staging/src/k8s.io/apiserver/pkg/endpoints/request/requestinfo.go (NewRequestInfo).
 * Which of them are routed: pkg/endpoints/installer.go, with the resources that discovery declares.
 */

export interface DeclaredResource {
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: ReadonlySet<string>;
}

/** By `group/version/plural` or `group/version/plural/subresource`; the core group is ''. */
export type DeclaredResources = ReadonlyMap<string, DeclaredResource>;

export interface Operation {
  readonly type: 'resource';
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  /** '' stands for all, and for what has none. */
  readonly namespace: string;
  readonly name: string;
  readonly fieldSelector: string;
  /** Of the objects that this may answer. */
  readonly kind: string;
}

/** A path that is no resource. */
export interface PathAccess {
  readonly type: 'path';
  readonly verb: string;
  readonly path: string;
}

export interface Reading {
  /** Undefined where nothing of the kind is declared: nobody may be served. */
  readonly access: Operation | PathAccess | undefined;
  /** Whether this is how a client would write it. Any other spelling may also be refused. */
  readonly plain: boolean;
}

export interface AskedRequest {
  readonly method: string;
  readonly target: string;
}

const verbs: ReadonlyMap<string, string> = new Map([
  ['GET', 'get'],
  ['HEAD', 'get'],
  ['POST', 'create'],
  ['PUT', 'update'],
  ['PATCH', 'patch'],
  ['DELETE', 'delete'],
]);
const namespaceSubresources = new Set(['status', 'finalize']);
/** These need `create`, be it GET or POST (feature AuthorizePodWebsocketUpgradeCreatePermission, v1.35). */
const streams = new Set(['exec', 'attach', 'portforward']);

export function readingOf({ method, target }: AskedRequest, declared: DeclaredResources): Reading {
  const [rawPath, query] = splitOnce(target.replace(/^https:\/\/[^/]*/, ''), '?');
  const path = decoded(rawPath);
  const segments = rawPath.slice(1).split('/');
  const plain =
    rawPath === '/' ||
    (target.startsWith('/') && segments.every(each => /^(?!\.+$)[\w.-]+$/.test(each)));
  if (path?.startsWith('/') !== true) return { access: undefined, plain: false };
  const operation = operationOf({ method, path, query: new URLSearchParams(query) });
  const access =
    operation === undefined
      ? pathAccess(method, path, declared)
      : routed(operation, declared, operation.version);
  return { access, plain };
}

interface Attributes extends Omit<Operation, 'kind'> {
  readonly version: string;
  /** Parts from the resource on: its name, subresource, and what follows. */
  readonly parts: readonly string[];
  /** Whether a namespace stands before the resource. */
  readonly prefixed: boolean;
  readonly watchPath: boolean;
  readonly method: string;
}

/** Kubernetes' attributes of a resource's path; undefined where it is no resource's. */
function operationOf(request: {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
}): Attributes | undefined {
  const { method, path, query } = request;
  const all = path.replaceAll(/^\/+|\/+$/g, '').split('/');
  const core = all[0] === 'api';
  if ((!core && all[0] !== 'apis') || all.length < (core ? 3 : 4)) return undefined;
  const group = core ? '' : (all[1] ?? '');
  const version = all[core ? 1 : 2] ?? '';
  let parts = all.slice(core ? 2 : 3);
  // The watch of before `?watch=true`: /api/v1/watch/… in front of the same path.
  const watchPath = parts[0] === 'watch' && parts.length > 1;
  if (watchPath) parts = parts.slice(1);
  let namespace = '';
  let prefixed = false;
  if (parts[0] === 'namespaces' && parts.length > 1) {
    namespace = parts[1] ?? '';
    if (parts.length > 2 && !namespaceSubresources.has(parts[2] ?? '')) {
      parts = parts.slice(2);
      prefixed = true;
    }
  }
  const [resource = '', name = '', subresource = ''] = parts;
  let verb = verbs.get(method) ?? '';
  let selected = '';
  const fieldSelector = query.get('fieldSelector') ?? '';
  if (parts.length === 1 && verb === 'get') {
    verb = isTrue(query.get('watch')) ? 'watch' : 'list';
    selected = requiredName(fieldSelector);
  }
  if (parts.length === 1 && verb === 'delete') verb = 'deletecollection';
  if (watchPath) {
    verb = 'watch';
    selected = name === '' ? requiredName(fieldSelector) : '';
  }
  if (streams.has(subresource) && verb === 'get') verb = 'create';
  return {
    type: 'resource',
    verb,
    group,
    version,
    resource,
    subresource,
    namespace,
    name: name || selected,
    fieldSelector: parts.length === 1 ? fieldSelector : '',
    parts,
    prefixed,
    watchPath,
    method,
  };
}

/** The operation, if a resource declares it in this place. */
function routed(
  attributes: Attributes,
  declared: DeclaredResources,
  version: string,
): Operation | undefined {
  const { parts, prefixed, watchPath, method, ...operation } = attributes;
  const { group, resource, subresource, verb, namespace } = operation;
  if (parts.length > 3 || parts.includes('')) return undefined;
  if (watchPath && (method !== 'GET' || parts.length > 2)) return undefined;
  const key = [group, version, resource, ...(subresource === '' ? [] : [subresource])].join('/');
  const found = declared.get(key);
  if (found === undefined || !found.verbs.has(verb)) return undefined;
  // Objects are made in their collection, and written by their name.
  const ofCollection = ['list', 'watch', 'create', 'deletecollection'].includes(verb);
  if (subresource === '' && !watchPath && ofCollection !== (parts.length === 1)) return undefined;
  const ofAll = !prefixed && parts.length === 1 && (verb === 'list' || verb === 'watch');
  // What has no namespace is under none; what has one is under it, or read for all of them.
  const inPlace = found.namespaced ? (prefixed && namespace !== '') || ofAll : !prefixed;
  if (!inPlace) return undefined;
  return { ...operation, kind: found.kind };
}

const openPaths = new Set([
  '/',
  '/api',
  '/apis',
  '/healthz',
  '/healthz/ping',
  '/livez',
  '/readyz',
  '/version',
  '/metrics',
  '/openapi/v2',
  '/openapi/v3',
  '/.well-known/openid-configuration',
  '/openid/v1/jwks',
]);

/** What is served beside resources: read, and nothing else. */
function pathAccess(
  method: string,
  path: string,
  declared: DeclaredResources,
): PathAccess | undefined {
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  // A slash at the end may be left out of account, by the authorizer too.
  const asked = path === '/' ? path : path.replace(/\/$/, '');
  // Discovery and OpenAPI have a document for each group and version.
  const [, group, version] =
    /^(?:\/openapi\/v3)?\/(?:api|apis\/([^/]+))(?:\/([^/]+))?$/.exec(asked) ?? [];
  const prefix = `${group ?? ''}/${version === undefined ? '' : `${version}/`}`;
  const known =
    openPaths.has(asked) ||
    ((group ?? version) !== undefined && [...declared.keys()].some(key => key.startsWith(prefix)));
  return known ? { type: 'path', verb: method.toLowerCase(), path: asked } : undefined;
}

/** Go's url.Parse decodes the whole path at once: an encoded slash is a slash. */
function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** apimachinery's Convert_Slice_string_To_bool: there, it is a yes unless it says no. */
const isTrue = (value: string | null): boolean =>
  value !== null && value !== '0' && value.toLowerCase() !== 'false';

/** fields.Selector.RequiresExactMatch("metadata.name") */
function requiredName(selector: string): string {
  for (const term of selector.split(',')) {
    const match = /^metadata\.name==?([^=]*)$/.exec(term);
    if (match !== null) return match[1] ?? '';
  }
  return '';
}

function splitOnce(text: string, separator: string): [string, string] {
  const index = text.indexOf(separator);
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)];
}
