/** Who asks. Each role says what it was given, so that the oracle need not ask the server. */

/** An RBAC rule. */
export interface Rule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

export interface Grant {
  /** '' stands for the whole cluster: a ClusterRoleBinding. */
  readonly namespace: string;
  readonly rule: Rule;
}

export interface Role {
  readonly name: string;
  /** How it shows who it is. */
  readonly credentials:
    | { readonly type: 'none' }
    | { readonly type: 'certificate'; readonly user: string; readonly group?: string }
    | { readonly type: 'token'; readonly namespace: string; readonly serviceAccount: string };
  readonly grants: readonly Grant[];
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The node that the certificate is of. */
  readonly node?: string;
  readonly administrator?: true;
  /** Asks to be somebody else without the right to: all is refused. */
  readonly refused?: true;
}

const read = ['get', 'list', 'watch'];
const any = ['*'];
const core = [''];

const person = (name: string, ...grants: Grant[]): Role => ({
  name,
  credentials: { type: 'certificate', user: name },
  grants,
});

const node = (name: string, nodeName: string): Role => ({
  name,
  credentials: {
    type: 'certificate',
    user: `system:node:${nodeName}`,
    group: 'system:nodes',
  },
  grants: [],
  node: nodeName,
});

export const administrator: Role = {
  name: 'administrator',
  credentials: { type: 'certificate', user: 'root', group: 'system:masters' },
  grants: [],
  administrator: true,
};

export const roles: readonly Role[] = [
  { name: 'anonymous', credentials: { type: 'none' }, grants: [] },
  person('no-rights'),
  person('one-name', {
    namespace: 'team',
    rule: { verbs: any, apiGroups: core, resources: ['secrets'], resourceNames: ['allowed'] },
  }),
  person('secret-reader', {
    namespace: 'team',
    rule: { verbs: read, apiGroups: core, resources: ['secrets'] },
  }),
  person('apps-owner', {
    namespace: '',
    rule: { verbs: any, apiGroups: ['apps'], resources: any },
  }),
  person('namespace-owner', {
    namespace: 'team',
    rule: { verbs: any, apiGroups: any, resources: any },
  }),
  person('cluster-reader', {
    namespace: '',
    rule: { verbs: read, apiGroups: any, resources: any },
  }),
  node('own-node', 'node-a'),
  node('other-node', 'node-b'),
  {
    name: 'service-account',
    credentials: { type: 'token', namespace: 'team', serviceAccount: 'builder' },
    grants: [
      {
        namespace: 'team',
        rule: { verbs: read, apiGroups: core, resources: ['configmaps', 'pods', 'pods/log'] },
      },
    ],
  },
  person('path-reader', {
    namespace: '',
    rule: { verbs: ['get', 'head'], nonResourceURLs: ['/metrics', '/healthz/*'] },
  }),
  person('pod-creator', {
    namespace: 'team',
    rule: { verbs: ['create'], apiGroups: core, resources: ['pods'] },
  }),
  {
    ...person('impersonator'),
    headers: { 'impersonate-user': 'root', 'impersonate-group': 'system:masters' },
    refused: true,
  },
  administrator,
];
