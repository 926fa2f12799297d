import { methodVerbs } from '../../machinery/method-verbs.ts';
import { NodeServerError } from './node-server-error.ts';

/** Which container, or which pod where no container is named. */
export interface StreamTarget {
  readonly namespace: string;
  readonly pod: string;
  /** Of the pod; empty where the client does not care. */
  readonly uid: string;
  readonly container: string;
}

export type StreamAction = 'exec' | 'attach' | 'portForward';

/** What a request asks of the node's server, resolved once: it is authorized and acted on by nothing else. */
export type NodeOperation = {
  /** Empty where the method means none: only a right to all verbs allows it. */
  readonly verb: string;
  /** Of the Node: the right to any of them is enough. */
  readonly subresources: readonly string[];
  readonly query: URLSearchParams;
} & (
  | { readonly type: 'health' }
  | { readonly type: 'logs'; readonly target: StreamTarget }
  | { readonly type: 'stream'; readonly action: StreamAction; readonly target: StreamTarget }
  | { readonly type: 'undeclared'; readonly refusal: NodeServerError }
);

/** @param url as it was sent */
export function resolveNodeOperation(method: string, url: string): NodeOperation {
  const at = url.indexOf('?');
  const query = new URLSearchParams(at < 0 ? '' : url.slice(at + 1));
  // A kubelet has no verb for HEAD.
  const verb = method === 'HEAD' ? '' : (methodVerbs.get(method) ?? '');
  const segments = segmentsOf(at < 0 ? url : url.slice(0, at));
  if (segments instanceof NodeServerError) {
    return { verb, subresources: ['proxy'], query, type: 'undeclared', refusal: segments };
  }
  const [root = '', ...rest] = segments;
  const base = { verb, subresources: subresourcesOf(root), query };
  const refuse = (refusal: NodeServerError): NodeOperation => ({
    ...base,
    type: 'undeclared',
    refusal,
  });
  if (root === 'healthz') {
    const isCheck = rest.length === 0 || (rest.length === 1 && healthChecks.has(rest[0] ?? ''));
    return isCheck ? { ...base, type: 'health' } : refuse(pageNotFound());
  }
  const route = routes.get(root);
  if (route === undefined) return refuse(pageNotFound());
  const target = route.targetOf(rest);
  if (target === undefined || rest.includes('')) return refuse(pageNotFound());
  if (!route.methods.has(method)) {
    return refuse(new NodeServerError(405, '405: Method Not Allowed'));
  }
  return route.action === 'logs'
    ? { ...base, type: 'logs', target }
    : { ...base, type: 'stream', action: route.action, target };
}

interface Route {
  readonly action: 'logs' | StreamAction;
  readonly methods: ReadonlySet<string>;
  /** @returns undefined where the path has another shape */
  targetOf(rest: readonly string[]): StreamTarget | undefined;
}

const readOnly: ReadonlySet<string> = new Set(['GET']);
const upgrades: ReadonlySet<string> = new Set(['GET', 'POST']);

/** `<namespace>/<pod>/<container>` */
const containerPath: Route['targetOf'] = rest => {
  const [namespace = '', pod = '', container = ''] = rest;
  return rest.length === 3 ? { namespace, pod, uid: '', container } : undefined;
};

/** The same, also with the pod's UID before the container. */
const containerPathWithUid: Route['targetOf'] = rest => {
  const [namespace = '', pod = '', uid = '', container = ''] = rest;
  return rest.length === 4 ? { namespace, pod, uid, container } : containerPath(rest);
};

/** `<namespace>/<pod>`, also with the UID. */
const podPath: Route['targetOf'] = rest => {
  const [namespace = '', pod = '', uid = ''] = rest;
  return rest.length === 2 || rest.length === 3
    ? { namespace, pod, uid, container: '' }
    : undefined;
};

const routes: ReadonlyMap<string, Route> = new Map([
  ['containerLogs', { action: 'logs', methods: readOnly, targetOf: containerPath }],
  ['exec', { action: 'exec', methods: upgrades, targetOf: containerPathWithUid }],
  ['attach', { action: 'attach', methods: upgrades, targetOf: containerPathWithUid }],
  ['portForward', { action: 'portForward', methods: upgrades, targetOf: podPath }],
]);

const healthChecks: ReadonlySet<string> = new Set(['ping', 'log', 'syncloop']);

/** As a kubelet has them, also of paths that are not served here (KubeletFineGrainedAuthz). */
const subresourcesOf = (root: string): readonly string[] => subresources.get(root) ?? ['proxy'];

const subresources: ReadonlyMap<string, readonly string[]> = new Map([
  ['metrics', ['metrics']],
  ['stats', ['stats']],
  ['logs', ['log']],
  ['checkpoint', ['checkpoint']],
  ['pods', ['pods', 'proxy']],
  ['runningpods', ['pods', 'proxy']],
  ['healthz', ['healthz', 'proxy']],
  ['configz', ['configz', 'proxy']],
  ['statusz', ['statusz', 'proxy']],
]);

const pageNotFound = (): NodeServerError => new NodeServerError(404, '404 page not found');

/** The decoded segments of a path; a slash at the end does not count. */
function segmentsOf(path: string): string[] | NodeServerError {
  if (!path.startsWith('/')) return pageNotFound();
  const segments = path.slice(1).split('/');
  if (segments.at(-1) === '') segments.pop();
  try {
    const decoded = segments.map(decodeURIComponent);
    // A slash within a segment would make it another path for whoever reads it next.
    return decoded.some(each => each.includes('/')) ? pageNotFound() : decoded;
  } catch {
    return new NodeServerError(400, 'malformed percent-encoding in the path');
  }
}
