/** What the server holds while it is attacked. */
import type { BodyName, KubernetesObject } from './bodies.ts';
import type { Grant, Role } from './roles.ts';

const rbacVersion = 'rbac.authorization.k8s.io/v1';
const rbacGroup = 'rbac.authorization.k8s.io';

export interface FixtureObject {
  /** Where it is created. */
  readonly collection: string;
  readonly resource: BodyName;
  readonly object: KubernetesObject;
}

const collectionOf = (resource: BodyName, apiVersion: string, namespace?: string): string =>
  [
    apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`,
    ...(namespace === undefined ? [] : ['namespaces', namespace]),
    resource,
  ].join('/');

interface Made {
  readonly resource: BodyName;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly apiVersion?: string;
  readonly content?: object;
}

const made = ({ resource, kind, name, namespace, apiVersion = 'v1', content }: Made) => ({
  resource,
  collection: collectionOf(resource, apiVersion, namespace),
  object: {
    apiVersion,
    kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    ...content,
  },
});

const namespace = (name: string) => made({ resource: 'namespaces', kind: 'Namespace', name });
const secret = (within: string, name: string) =>
  made({
    resource: 'secrets',
    kind: 'Secret',
    namespace: within,
    name,
    content: { stringData: { password: secretValue } },
  });
const account = (within: string, name: string) =>
  made({ resource: 'serviceaccounts', kind: 'ServiceAccount', namespace: within, name });
const pod = (within: string, name: string, spec: object) =>
  made({
    resource: 'pods',
    kind: 'Pod',
    namespace: within,
    name,
    content: { spec: { containers: [{ name: 'main', image: 'none' }], ...spec } },
  });
const node = (name: string) => made({ resource: 'nodes', kind: 'Node', name });

/** Found in an answer, it got out. */
export const secretValue = 'correct-horse-battery-staple';

const rules = [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }];
const roleRef = (kind: 'Role' | 'ClusterRole', name: string) => ({
  apiGroup: rbacGroup,
  kind,
  name,
});

const rbacObject = (object: Omit<Made, 'apiVersion'>) =>
  made({ ...object, apiVersion: rbacVersion });

const holdings: readonly FixtureObject[] = [
  ...['team', 'other', 'victim'].map(namespace),
  node('node-a'),
  node('node-b'),
  ...['team', 'other'].flatMap(within => [
    account(within, 'default'),
    account(within, 'powerful'),
    secret(within, 'allowed'),
    secret(within, 'plain'),
    made({ resource: 'configmaps', kind: 'ConfigMap', namespace: within, name: 'settings' }),
  ]),
  account('team', 'builder'),
  pod('team', 'pending', {}),
  pod('team', 'web', {
    nodeName: 'node-a',
    volumes: [
      { name: 'secret', secret: { secretName: 'allowed' } },
      { name: 'settings', configMap: { name: 'settings' } },
    ],
  }),
  pod('other', 'web', {
    nodeName: 'node-b',
    volumes: [{ name: 'secret', secret: { secretName: 'plain' } }],
  }),
  made({
    resource: 'leases',
    kind: 'Lease',
    apiVersion: 'coordination.k8s.io/v1',
    namespace: 'kube-node-lease',
    name: 'node-a',
    content: { spec: { holderIdentity: 'node-a' } },
  }),
  made({
    resource: 'events',
    kind: 'Event',
    namespace: 'team',
    name: 'probe',
    content: {
      involvedObject: { kind: 'Pod', namespace: 'team', name: 'web' },
      reason: 'Probed',
      type: 'Normal',
    },
  }),
  ...['team', 'other'].flatMap(within => [
    rbacObject({
      resource: 'roles',
      kind: 'Role',
      namespace: within,
      name: 'probe',
      content: { rules },
    }),
    rbacObject({
      resource: 'rolebindings',
      kind: 'RoleBinding',
      namespace: within,
      name: 'probe',
      content: { roleRef: roleRef('Role', 'probe') },
    }),
  ]),
  rbacObject({ resource: 'clusterroles', kind: 'ClusterRole', name: 'probe', content: { rules } }),
  rbacObject({
    resource: 'clusterrolebindings',
    kind: 'ClusterRoleBinding',
    name: 'probe',
    content: { roleRef: roleRef('ClusterRole', 'probe') },
  }),
];

/** The role and the binding that give a grant. */
function granted(role: Role, { namespace: within, rule }: Grant, index: number): FixtureObject[] {
  const name = `${role.name}-${index}`;
  const { credentials } = role;
  const subject =
    credentials.type === 'token'
      ? {
          kind: 'ServiceAccount',
          namespace: credentials.namespace,
          name: credentials.serviceAccount,
        }
      : { kind: 'User', apiGroup: rbacGroup, name: role.name };
  const place = within === '' ? {} : { namespace: within };
  const kind = within === '' ? 'ClusterRole' : 'Role';
  const plural = within === '' ? 'clusterroles' : 'roles';
  return [
    rbacObject({ resource: plural, kind, name, ...place, content: { rules: [rule] } }),
    rbacObject({
      resource: within === '' ? 'clusterrolebindings' : 'rolebindings',
      kind: `${kind}Binding`,
      name,
      ...place,
      content: { subjects: [subject], roleRef: roleRef(kind, name) },
    }),
  ];
}

/** In an order in which they can be created. */
export const fixtureFor = (roles: readonly Role[]): FixtureObject[] => [
  ...holdings,
  ...roles.flatMap(role => role.grants.flatMap((grant, index) => granted(role, grant, index))),
];
