import { booleanOf } from './query.ts';

/** What a request asks for, read off its method and path (apiserver's RequestInfo). */
export interface RequestInfo {
  readonly isResource: boolean;
  /** get, list, watch, create, update, patch, delete, deletecollection; else the method in small letters. */
  readonly verb: string;
  readonly path: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** What follows the subresource: the path of a proxy. */
  readonly rest: string;
}

const verbs: Record<string, string> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** @param path without the query */
export function requestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const parts = path
    .split('/')
    .filter(part => part !== '')
    .map(decodeSegment);
  const nonResource: RequestInfo = {
    isResource: false,
    verb: method.toLowerCase(),
    path,
    group: '',
    version: '',
    resource: '',
    subresource: '',
    namespace: '',
    name: '',
    rest: '',
  };
  const core = parts[0] === 'api';
  const prefix = core ? 2 : 3;
  if ((!core && parts[0] !== 'apis') || parts.length <= prefix) return nonResource;
  const group = core ? '' : (parts[1] ?? '');
  const version = parts[prefix - 1] ?? '';
  let tail = parts.slice(prefix);
  let namespace = '';
  if (tail[0] === 'namespaces' && tail.length > 1) {
    // `namespaces` is a resource and the prefix of others: status and finalize are its own.
    const own =
      tail.length === 2 || (tail.length === 3 && ['status', 'finalize'].includes(tail[2] ?? ''));
    namespace = tail[1] ?? '';
    if (!own) tail = tail.slice(2);
  }
  const [resource = '', name = '', subresource = '', ...rest] = tail;
  const watched = booleanOf(query, 'watch');
  let verb = verbs[method] ?? method.toLowerCase();
  if (name === '') {
    if (verb === 'get') verb = watched ? 'watch' : 'list';
    else if (verb === 'delete') verb = 'deletecollection';
  }
  return {
    isResource: true,
    verb,
    path,
    group,
    version,
    resource,
    subresource,
    namespace,
    name,
    rest: rest.join('/'),
  };
}

function decodeSegment(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
