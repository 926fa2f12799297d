import { memberOf } from '../../machinery/member.ts';
import { methodVerbs } from '../../machinery/method-verbs.ts';
import type { ResourceDescriptor, Verb } from '../../machinery/resource.ts';
import { goQuote } from '../../machinery/go-quote.ts';
import {
  parseFieldSelector,
  type FieldRequirement,
} from '../../machinery/selectors/field-selector.ts';
import {
  badRequest,
  methodNotAllowed,
  noSuchResource,
  StatusError,
} from '../../machinery/status.ts';
import { pathSegment } from '../../machinery/validation/names.ts';
import { booleanOf, type Query } from '../http/query.ts';
import type { ServedResources } from '../resources/resource-registry.ts';
import type { Operation, RequiredRight } from './operation.ts';

/** Resolves a request's method and URL, as they were sent. */
export type OperationResolver = (method: string, url: string) => Operation;

/** Resolves requests against the resources that are served at the time, and nothing else. */
export function createOperationResolver(
  resources: Pick<ServedResources, 'find'>,
): OperationResolver {
  return (method, url) => {
    const { path, query } = splitUrl(url);
    const headOnly = method === 'HEAD';
    const base = { query, headOnly };
    const segments = segmentsOf(path);
    const target = isRefused(segments) ? undefined : resourceTargetOf(segments);
    if (target === undefined) {
      const right = nonResourceRight(method, canonical(path));
      if (isRefused(segments)) return { type: 'undeclared', ...base, right, refusal: segments };
      return method === 'GET' || headOnly
        ? { type: 'non-resource', ...base, right, path: right.path }
        : { type: 'undeclared', ...base, right, refusal: methodNotAllowed() };
    }
    const verb = verbOf(method, target, query);
    const selector = fieldSelectorOf(verb, query, target);
    const right = resourceRight(target, verb, selector.requirements);
    const entry = resources.find(target.group, target.version, target.resource);
    if (entry === undefined) {
      return { type: 'undeclared', ...base, right, refusal: noSuchResource() };
    }
    const declared =
      target.isWatchPath && method !== 'GET'
        ? methodNotAllowed()
        : declarationOf(entry.descriptor, target, { verb, headOnly });
    if (isRefused(declared)) return { type: 'undeclared', ...base, right, refusal: declared };
    return {
      type: 'resource',
      ...base,
      right: declared.verb === verb ? right : { ...right, verb: declared.verb },
      entry,
      verb: declared.verb,
      connects: declared.connects,
      subresource: target.subresource,
      namespace: entry.descriptor.namespaced ? target.namespace : '',
      name: target.isWatchPath ? '' : target.name,
      fieldSelector: selector.requirements,
      ...(selector.error === undefined ? {} : { fieldSelectorError: selector.error }),
    };
  };
}

/** What a path names, whether or not it is declared (apiserver's RequestInfo). */
interface ResourceTarget {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** The path goes through `namespaces/<namespace>/`. */
  readonly isNamespaced: boolean;
  /** The path goes on behind the subresource. */
  readonly hasMore: boolean;
  /** `/api/v1/watch/…`: the watch of a collection or of one object, as clients wrote it before `?watch=true`. */
  readonly isWatchPath: boolean;
}

/** `/api/<version>/…`, `/apis/<group>/<version>/…`; undefined for every other path. */
function resourceTargetOf(segments: readonly string[]): ResourceTarget | undefined {
  const [prefix] = segments;
  if (prefix !== 'api' && prefix !== 'apis') return undefined;
  const [group = '', version = '', ...behind] =
    prefix === 'api' ? ['', ...segments.slice(1)] : segments.slice(1);
  const isWatchPath = behind[0] === 'watch' && behind.length > 1;
  const rest = isWatchPath ? behind.slice(1) : behind;
  if (rest.length === 0) return undefined;
  // `namespaces` is a resource of its own, and the prefix of those that are in one.
  const isOwn = rest.length <= 2 || namespaceSubresources.has(rest[2] ?? '');
  const isNamespaced = rest[0] === 'namespaces' && !isOwn;
  const [resource = '', name = '', subresource = '', ...more] = isNamespaced ? rest.slice(2) : rest;
  return {
    group,
    version,
    resource,
    subresource,
    namespace: rest[0] === 'namespaces' ? (rest[1] ?? '') : '',
    name,
    isNamespaced,
    hasMore: more.length > 0 || (isWatchPath && subresource !== ''),
    isWatchPath,
  };
}

/** As apiserver's RequestInfo has them. */
const namespaceSubresources: ReadonlySet<string> = new Set(['status', 'finalize']);

/** The verb that a method means there; empty when it means none. */
function verbOf(method: string, { name, isWatchPath }: ResourceTarget, query: Query): Verb | '' {
  if (isWatchPath) return 'watch';
  const verb = methodVerbs.get(method) ?? '';
  if (name !== '') return verb;
  if (verb === 'delete') return 'deletecollection';
  if (verb !== 'get') return verb;
  return booleanOf(query, 'watch') ? 'watch' : 'list';
}

interface Declared {
  readonly verb: Verb;
  readonly connects: boolean;
}

/** What the descriptor declares for the target and the verb, or why there is no such thing. */
function declarationOf(
  descriptor: ResourceDescriptor,
  target: ResourceTarget,
  { verb, headOnly }: { readonly verb: Verb | ''; readonly headOnly: boolean },
): Declared | StatusError {
  const { name, namespace, subresource, isNamespaced, hasMore, isWatchPath } = target;
  const spansNamespaces = descriptor.namespaced && !isNamespaced;
  if (hasMore || (isNamespaced && !descriptor.namespaced) || (spansNamespaces && name !== '')) {
    return noSuchResource();
  }
  for (const each of [namespace, name]) {
    const [problem] = pathSegment(each);
    if (problem !== undefined) {
      return badRequest(`Name parameter invalid: ${goQuote(each)}: ${problem}`);
    }
  }
  if (subresource !== '') {
    const declared = memberOf(descriptor.subresources, subresource);
    if (declared === undefined) return noSuchResource();
    const isDeclared = (declared.verbs as readonly string[]).includes(verb);
    if (verb === '' || !isDeclared || headOnly) return methodNotAllowed();
    // What runs in a pod needs the right to create, whether the upgrade comes as POST or as GET.
    return declared.connects === true
      ? { verb: 'create', connects: true }
      : { verb, connects: false };
  }
  const isDeclared =
    verb !== '' &&
    descriptor.verbs.includes(verb) &&
    collectionVerbs.has(verb) === (name === '' || isWatchPath) &&
    !(spansNamespaces && (verb === 'create' || verb === 'deletecollection')) &&
    !(headOnly && verb === 'watch');
  return isDeclared ? { verb, connects: false } : methodNotAllowed();
}

const collectionVerbs: ReadonlySet<string> = new Set([
  'list',
  'watch',
  'create',
  'deletecollection',
]);

function resourceRight(
  target: ResourceTarget,
  verb: Verb | '',
  requirements: readonly FieldRequirement[],
): RequiredRight {
  const ofMany = verb === 'list' || verb === 'watch';
  return {
    isResource: true,
    verb,
    path: '',
    group: target.group,
    resource: target.resource,
    subresource: target.subresource,
    // Of a Namespace its own name: a role in a namespace may grant rights on that namespace.
    namespace: target.namespace,
    // A list or watch of one name needs the right to that one object.
    name: target.name || (ofMany ? selectedName(requirements) : ''),
    fieldSelector: ofMany ? requirements : [],
  };
}

const nonResourceRight = (method: string, path: string): RequiredRight => ({
  isResource: false,
  verb: method.toLowerCase(),
  path,
  group: '',
  resource: '',
  subresource: '',
  namespace: '',
  name: '',
  fieldSelector: [],
});

function selectedName(requirements: readonly FieldRequirement[]): string {
  const name = requirements.find(each => each.field === 'metadata.name' && each.equals)?.value;
  return name !== undefined && pathSegment(name).length === 0 ? name : '';
}

interface ParsedFieldSelector {
  readonly requirements: readonly FieldRequirement[];
  readonly error?: string;
}

function fieldSelectorOf(
  verb: Verb | '',
  query: Query,
  { isWatchPath, name }: ResourceTarget,
): ParsedFieldSelector {
  const parsed = parsedFieldSelector(verb, query);
  if (!isWatchPath || name === '') return parsed;
  const ofName = { field: 'metadata.name', equals: true, value: name };
  return { ...parsed, requirements: [ofName, ...parsed.requirements] };
}

function parsedFieldSelector(verb: Verb | '', query: Query): ParsedFieldSelector {
  const selects = verb === 'list' || verb === 'watch' || verb === 'deletecollection';
  const text = selects ? (query.get('fieldSelector') ?? '') : '';
  if (text === '') return noRequirements;
  try {
    return { requirements: parseFieldSelector(text) };
  } catch (error) {
    return { requirements: [], error: (error as Error).message };
  }
}

const noRequirements: ParsedFieldSelector = { requirements: [] };

function splitUrl(url: string): { path: string; query: Query } {
  const at = url.indexOf('?');
  return at < 0
    ? { path: url, query: new URLSearchParams() }
    : { path: url.slice(0, at), query: new URLSearchParams(url.slice(at + 1)) };
}

const canonical = (path: string): string =>
  path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;

/** The decoded segments of a path, or why it names nothing. Trailing slashes do not count. */
function segmentsOf(path: string): string[] | StatusError {
  if (path === '/') return [];
  if (!path.startsWith('/')) return noSuchResource();
  const segments = canonical(path).slice(1).split('/');
  for (const [i, segment] of segments.entries()) {
    const decoded = segment.includes('%') ? decodeSegment(segment) : segment;
    if (decoded === undefined) return badRequest(`invalid URL escape in ${goQuote(segment)}`);
    if (decoded === '' || decoded.includes('/')) return noSuchResource();
    segments[i] = decoded;
  }
  return segments;
}

function decodeSegment(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

const isRefused = (value: unknown): value is StatusError => value instanceof StatusError;
