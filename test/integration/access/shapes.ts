/** Where requests go: every path that Kubernetes declares for what the fixture holds, and what resembles one. */
import type { BodyName } from './bodies.ts';

export interface Shape {
  /** Path and query, as sent. */
  readonly target: string;
  /** What is written there, if anything can be. */
  readonly body: BodyName;
}

const core = '/api/v1';
const rbac = '/apis/rbac.authorization.k8s.io/v1';
const leases = '/apis/coordination.k8s.io/v1';
const authorization = '/apis/authorization.k8s.io/v1';
const authentication = '/apis/authentication.k8s.io/v1';

/** Names that every object inherits. */
const inherited = ['constructor', '__proto__', 'toString'];

const namespaced: readonly (readonly [string, BodyName, string])[] = [
  [core, 'secrets', 'plain'],
  [core, 'configmaps', 'settings'],
  [core, 'pods', 'web'],
  [core, 'serviceaccounts', 'powerful'],
  [rbac, 'roles', 'probe'],
];

const clusterScoped: readonly (readonly [string, BodyName, string])[] = [
  [core, 'namespaces', 'victim'],
  [core, 'nodes', 'node-b'],
  [rbac, 'clusterroles', 'probe'],
  [rbac, 'clusterrolebindings', 'probe'],
];

const subresources: readonly (readonly [string, BodyName])[] = [
  ['pods/web/status', 'pods'],
  ['pods/web/log', 'pods'],
  ['pods/web/exec', 'pods'],
  ['pods/web/attach', 'pods'],
  ['pods/web/portforward', 'pods'],
  ['pods/web/eviction', 'pods/eviction'],
  ['pods/pending/binding', 'pods/binding'],
  ['serviceaccounts/powerful/token', 'serviceaccounts/token'],
];

const at = (body: BodyName, ...targets: string[]): Shape[] =>
  targets.map(target => ({ target, body }));

/** Paths that are declared, asked for in their namespace, in another's, and in none. */
const declared: readonly Shape[] = [
  ...namespaced.flatMap(([prefix, plural, name]) =>
    at(
      plural,
      `${prefix}/${plural}`,
      `${prefix}/namespaces/team/${plural}`,
      `${prefix}/namespaces/team/${plural}/${name}`,
      `${prefix}/namespaces/other/${plural}`,
      `${prefix}/namespaces/other/${plural}/${name}`,
      `${prefix}/namespaces/absent/${plural}`,
      // An object of a namespace, without the namespace.
      `${prefix}/${plural}/${name}`,
    ),
  ),
  ...at('secrets', `${core}/namespaces/team/secrets/allowed`, `${core}/secrets/allowed`),
  ...at('leases', `${leases}/namespaces/kube-node-lease/leases/node-a`),
  ...at('events', `${core}/namespaces/team/events`, `${core}/events`),
  ...clusterScoped.flatMap(([prefix, plural, name]) =>
    at(
      plural,
      `${prefix}/${plural}`,
      `${prefix}/${plural}/${name}`,
      // What has no namespace, under one that the asker may own.
      `${prefix}/namespaces/team/${plural}`,
      `${prefix}/namespaces/team/${plural}/${name}`,
      `${prefix}/namespaces/team/${plural}/${name}/status`,
    ),
  ),
  ...at('nodes', `${core}/nodes/node-a`, `${core}/nodes/node-a/status`),
  ...at('nodes', `${core}/nodes/node-b/status`, `${core}/nodes/node-a/proxy/pods`),
  ...at('namespaces', `${core}/namespaces/team`, `${core}/namespaces/victim/status`),
  ...at('namespaces', `${core}/namespaces/victim/finalize`, `${core}/namespaces/team/finalize`),
  ...at('namespaces', `${core}/namespaces/team/namespaces/victim/finalize`),
  ...subresources.flatMap(([rest, body]) =>
    at(
      body,
      `${core}/namespaces/team/${rest}`,
      `${core}/namespaces/other/${rest}`,
      `${core}/${rest}`,
      `${core}/namespaces/team/${rest}/more`,
    ),
  ),
  ...at('subjectaccessreviews', `${authorization}/subjectaccessreviews`),
  ...at('subjectaccessreviews', `${authorization}/namespaces/team/subjectaccessreviews`),
  ...at('selfsubjectaccessreviews', `${authorization}/selfsubjectaccessreviews`),
  ...at('localsubjectaccessreviews', `${authorization}/namespaces/team/localsubjectaccessreviews`),
  ...at('localsubjectaccessreviews', `${authorization}/localsubjectaccessreviews`),
  ...at('tokenreviews', `${authentication}/tokenreviews`, `${authentication}/tokenreviews/x`),
];

/** Subresources of another resource, of none, and names that every object inherits. */
const wrongSubresources: readonly Shape[] = [
  ...[...inherited, 'scale', 'token', 'ephemeralcontainers', 'EXEC'].flatMap(each =>
    at('pods', `${core}/namespaces/team/pods/web/${each}`),
  ),
  ...[...inherited, 'exec', 'status', 'binding', 'finalize'].flatMap(each =>
    at('secrets', `${core}/namespaces/team/secrets/allowed/${each}`),
  ),
  ...at('pods', `${core}/namespaces/team/secrets/web/exec`),
  ...at('secrets', ...inherited.map(each => `${core}/namespaces/team/secrets/${each}`)),
  ...at('secrets', ...inherited.map(each => `${core}/namespaces/team/${each}`)),
  ...at('secrets', ...inherited.map(each => `${core}/${each}`)),
  ...at('secrets', ...['Secrets', 'secret', '*'].map(each => `${core}/namespaces/team/${each}`)),
];

/** A group or version that is wrong, or that is another resource's. */
const wrongGroups: readonly Shape[] = [
  '/apis/apps/v1',
  '/apis/v1',
  '/apis//v1',
  '/apis/core/v1',
  '/apis/constructor/v1',
  '/apis/__proto__/v1',
  rbac,
  '/api/v2',
  '/api/rbac.authorization.k8s.io/v1',
  '/API/v1',
  '/api/v1/proxy',
].flatMap(prefix => [
  ...at('secrets', `${prefix}/namespaces/team/secrets/allowed`),
  ...at('pods', `${prefix}/namespaces/team/pods/web/exec`),
  ...at('serviceaccounts/token', `${prefix}/namespaces/team/serviceaccounts/powerful/token`),
]);

/** The same path in other spellings; each of them is either that path or no path at all. */
function spellings(path: string): string[] {
  const segments = path.slice(1).split('/');
  const last = segments.at(-1) ?? '';
  const before = path.slice(0, -last.length - 1);
  const hex = (text: string): string =>
    text.replaceAll(/./g, each => `%${each.charCodeAt(0).toString(16)}`);
  return [
    ...segments.map((_, i) => `/${segments.toSpliced(i, 0, '').join('/')}`),
    `${path}/`,
    `${before}/./${last}`,
    `${before}/x/../${last}`,
    `${before}/x%2f..%2f${last}`,
    `${path}/..`,
    `${path}/%2e%2e/allowed`,
    `${before}/${hex(last)}`,
    `${before}/${hex(hex(last))}`,
    `${before}%2F${last}`,
    `${before}%252F${last}`,
    path.replaceAll(/(?<!^)\//g, '%2F'),
    path.replace('namespaces', '%6Eamespaces'),
    `${path}%00`,
    `${path}%20`,
    `${path};x=1`,
    `${path}%`,
    `${path}%c0%af`,
    `${path}%3Fwatch=true`,
    path.replaceAll('/', '\\'),
    `https://127.0.0.1${path}`,
  ];
}

const misspelt: readonly Shape[] = [
  ...at('secrets', ...spellings(`${core}/namespaces/team/secrets/plain`)),
  ...at('pods', ...spellings(`${core}/namespaces/team/pods/web/exec`)),
  ...at('namespaces', ...spellings(`${core}/namespaces/victim`)),
  ...at(
    'secrets',
    `${core}/namespaces/team/secrets/allowed%2F..%2Fplain`,
    `${core}/namespaces/team/secrets/allowed/../plain`,
    `${core}/namespaces/team%2Fsecrets`,
    `${core}/namespaces/team/secrets%2Fallowed`,
    `${core}/namespaces//secrets`,
    `${core}/namespaces/%2e%2e/secrets`,
    `${core}/namespaces/../secrets`,
    `${core}/namespaces/team/namespaces/other/secrets`,
    `${core}/namespaces/team/namespaces/other/secrets/plain`,
    `${core}/namespaces/%74eam/%73ecrets`,
  ),
];

const toTheEnd =
  'sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan';
const collectionQueries = [
  'watch=0',
  'watch',
  `watch=true&${toTheEnd}`,
  `watch=true&fieldSelector=metadata.name=allowed&${toTheEnd}`,
  'fieldSelector=metadata.name=allowed',
  'fieldSelector=metadata.name%3D%3Dallowed',
  'fieldSelector=metadata.name!=allowed',
  'fieldSelector=metadata.name=plain',
  'fieldSelector=metadata.name=allowed,metadata.name=plain',
  'fieldSelector=metadata.name=allowed&fieldSelector=metadata.name=plain',
  'fieldSelector=&fieldSelector=metadata.name=allowed',
  'fieldselector=metadata.name=allowed',
  'fieldSelector=metadata.namespace=team,metadata.name=allowed',
  'dryRun=All',
  'limit=1',
  'namespace=team&name=allowed',
];

/** Queries that change the verb, the name or the effect, or seem to. */
const queried: readonly Shape[] = [
  ...collectionQueries.flatMap(query =>
    at('secrets', `${core}/namespaces/team/secrets?${query}`, `${core}/secrets?${query}`),
  ),
  ...['watch=true', 'fieldSelector=metadata.name=allowed', 'dryRun=All', '_method=DELETE'].flatMap(
    query => at('secrets', `${core}/namespaces/team/secrets/plain?${query}`),
  ),
  ...at(
    'pods',
    `${core}/pods?fieldSelector=spec.nodeName=node-a`,
    `${core}/pods?fieldSelector=spec.nodeName!=node-a`,
    `${core}/pods?fieldSelector=spec.nodeName=node-a,metadata.name=web`,
    `${core}/namespaces/other/pods?fieldSelector=metadata.name=web`,
  ),
  ...at('nodes', `${core}/nodes?fieldSelector=metadata.name=node-a`),
];

/** Watches as clients wrote them before `?watch=true`. */
const watchPaths: readonly Shape[] = ['', '/namespaces/team', '/namespaces/other'].flatMap(
  within => [
    ...at(
      'secrets',
      `${core}/watch${within}/secrets?${toTheEnd}`,
      `${core}/watch${within}/secrets/allowed?${toTheEnd}`,
      `${core}/watch${within}/secrets/plain?${toTheEnd}`,
      `${core}/watch${within}/secrets?fieldSelector=metadata.name=allowed&${toTheEnd}`,
      `${core}/watch${within}/secrets/plain?fieldSelector=metadata.name=allowed&${toTheEnd}`,
      `${core}/watch/watch${within}/secrets`,
    ),
    ...at('pods', `${core}/watch${within}/pods/web/exec`, `${core}/watch${within}/pods/web/log`),
    ...at('nodes', `${core}/watch${within}/nodes?${toTheEnd}`),
    ...at('serviceaccounts/token', `${core}/watch${within}/serviceaccounts/powerful/token`),
  ],
);

/** Paths that are no resources, and ways from those that all may read to others. */
const nonResources: readonly Shape[] = at(
  'secrets',
  '/',
  '/api',
  '/api/',
  '/api/v1',
  '/api/v1/',
  '/apis',
  '/apis/rbac.authorization.k8s.io',
  '/apis/rbac.authorization.k8s.io/v1',
  '/apis/apps/v1',
  '/healthz',
  '/healthz/ping',
  '/readyz?verbose',
  '/version',
  '/version/',
  '/metrics',
  '/metrics/',
  '/openapi/v2',
  '/openapi/v3',
  '/openapi/v3/api/v1',
  '/.well-known/openid-configuration',
  '/openid/v1/jwks',
  '/healthz/../metrics',
  '/healthz/%2e%2e/metrics',
  '/healthz%2f..%2fmetrics',
  '/api/../metrics',
  '//metrics',
  '/%6Detrics',
  '/constructor',
  '/__proto__',
  '/api/constructor',
  '/apis/__proto__',
  '*',
);

const unique = (shapes: readonly Shape[]): Shape[] => [
  ...new Map(shapes.map(each => [each.target, each])).values(),
];

export const shapes: readonly Shape[] = unique([
  ...declared,
  ...wrongSubresources,
  ...wrongGroups,
  ...misspelt,
  ...queried,
  ...watchPaths,
  ...nonResources,
]);

/** Without other spellings: for methods that mean nothing anywhere. */
export const wellSpeltShapes: readonly Shape[] = unique([
  ...declared,
  ...wrongSubresources,
  ...queried,
]);

/** Where an upgrade is asked for: whatever leads into a container, and some of what does not. */
export const upgradeShapes: readonly Shape[] = unique([
  ...at(
    'pods',
    ...['exec', 'attach', 'portforward'].flatMap(each => [
      `${core}/namespaces/team/pods/web/${each}`,
      `${core}/namespaces/team/pods/web/${each}?command=id&stdout=true`,
      `${core}/namespaces/other/pods/web/${each}`,
      `${core}/pods/web/${each}`,
      `${core}/namespaces/team/pods/web/${each}/more`,
      `/apis/apps/v1/namespaces/team/pods/web/${each}`,
    ]),
    `${core}/namespaces/team/pods/web/log`,
    `${core}/namespaces/team/pods/web`,
    `${core}/namespaces/team/pods`,
    `${core}/namespaces/team/secrets/web/exec`,
  ),
  ...wrongGroups.filter(({ target }) => target.endsWith('/exec')),
  ...misspelt.filter(({ target }, i) => target.includes('exec') && i % 4 === 0),
  ...at('secrets', `${core}/namespaces/team/secrets/plain`, `${core}/namespaces/team/secrets`),
  ...at('serviceaccounts/token', `${core}/namespaces/team/serviceaccounts/powerful/token`),
  ...at('nodes', `${core}/nodes/node-a/proxy/pods`),
  ...at('secrets', '/healthz'),
]);

/** A few of each kind, for what costs a connection a request. */
export const fewShapes: readonly Shape[] = [
  ...at('secrets', `${core}/secrets`, `${core}/namespaces/team/secrets/allowed`, '/healthz'),
];
