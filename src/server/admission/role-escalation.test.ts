import { beforeEach, expect, test } from 'vitest';
import type { PolicyRule } from '../../api/rbac.authorization.k8s.io/v1/policy-rule.ts';
import { clusterRoleBindingResource } from '../../api/rbac.authorization.k8s.io/v1/cluster-role-binding.ts';
import { clusterRoleResource } from '../../api/rbac.authorization.k8s.io/v1/cluster-role.ts';
import { roleBindingResource } from '../../api/rbac.authorization.k8s.io/v1/role-binding.ts';
import { roleResource } from '../../api/rbac.authorization.k8s.io/v1/role.ts';
import type { KubeObject } from '../../machinery/meta.ts';
import type { ResourceDescriptor } from '../../machinery/resource.ts';
import { createAccessRules, type AccessRules } from '../authz/rbac/access-rules.ts';
import { rbacAuthorizer } from '../authz/rbac/rbac-authorizer.ts';
import type { AdmissionRequest } from './admission.ts';
import { roleEscalation } from './role-escalation.ts';

const group = 'rbac.authorization.k8s.io';
const rule = (verbs: string, apiGroup: string, resource: string, names?: string[]): PolicyRule => ({
  verbs: verbs.split(' '),
  apiGroups: [apiGroup],
  resources: [resource],
  ...(names === undefined ? {} : { resourceNames: names }),
});
const object = (kind: string, name: string, content: object): KubeObject => ({
  apiVersion: `${group}/v1`,
  kind,
  metadata: { name, namespace: kind.startsWith('Cluster') ? '' : 'ns' },
  ...content,
});
const resources = {
  Role: roleResource,
  ClusterRole: clusterRoleResource,
  RoleBinding: roleBindingResource,
  ClusterRoleBinding: clusterRoleBindingResource,
} as unknown as Readonly<Record<string, ResourceDescriptor>>;

let access: AccessRules;
/** Gives jane these rules in the namespace ns. */
const give = (...rules: PolicyRule[]): void => {
  access.followers.roles.put({ ...object('Role', 'own', {}), rules });
  access.followers.roleBindings.put({
    ...object('RoleBinding', 'own', {}),
    roleRef: { apiGroup: group, kind: 'Role', name: 'own' },
    subjects: [{ kind: 'User', name: 'jane' }],
  });
};
beforeEach(() => {
  access = createAccessRules();
  const rules = [rule('get', '', 'secrets')];
  access.followers.clusterRoles.put({ ...object('ClusterRole', 'reader', {}), rules });
});
const admit = (
  next: KubeObject,
  { old, groups = ['dev'] }: { old?: KubeObject; groups?: string[] } = {},
): Promise<void> => {
  const descriptor = resources[next.kind];
  if (descriptor === undefined) throw new Error(next.kind);
  const { name = '', namespace = '' } = next.metadata;
  const request: AdmissionRequest = {
    operation: old === undefined ? 'create' : 'update',
    descriptor,
    subresource: '',
    namespace,
    name,
    object: next,
    old,
    user: { name: 'jane', groups },
    dryRun: false,
    warn: () => undefined,
  };
  return Promise.resolve().then(() => roleEscalation(access, rbacAuthorizer(access))(request));
};

const secretsRole = object('Role', 'r', { rules: [rule('get list', '', 'secrets')] });
const podsRole = object('Role', 'r', { rules: [rule('get', '', 'pods')] });
const binding = (to: string, kind = 'RoleBinding'): KubeObject => {
  const [refKind, name] = to.split('/');
  return object(kind, 'b', { roleRef: { apiGroup: group, kind: refKind, name }, subjects: [] });
};

test('a role with more than its writer holds is refused, naming what is missing', async () => {
  give(rule('get', '', 'secrets'));
  await expect(admit(secretsRole)).rejects.toMatchObject({
    code: 403,
    message:
      'roles.rbac.authorization.k8s.io "r" is forbidden: user "jane" (groups=["dev"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["list"]}',
  });
  give(rule('get list watch', '', 'secrets'));
  await expect(admit(secretsRole)).resolves.toBeUndefined();
  await expect(admit(secretsRole, { old: podsRole })).resolves.toBeUndefined();
  await expect(admit(podsRole, { old: secretsRole })).rejects.toMatchObject({ code: 403 });
});

test('what is held in a namespace is not held in the cluster', async () => {
  give(rule('get list', '', 'secrets'));
  const wide = object('ClusterRole', 'r', { rules: [rule('get', '', 'secrets')] });
  await expect(admit(wide)).rejects.toMatchObject({
    message: expect.stringContaining(
      'clusterroles.rbac.authorization.k8s.io "r" is forbidden',
    ) as string,
  });
});

test('administrators, and who may escalate, write any role', async () => {
  await expect(admit(secretsRole, { groups: ['system:masters'] })).resolves.toBeUndefined();
  give(rule('escalate', group, 'roles'));
  await expect(admit(secretsRole)).resolves.toBeUndefined();
  give(rule('escalate', group, 'roles', ['r']));
  await expect(admit(secretsRole, { old: podsRole })).resolves.toBeUndefined();
  await expect(admit(secretsRole)).rejects.toMatchObject({ code: 403 });
});

test('a binding gives no more than its writer holds, unless he may bind that role', async () => {
  const refused = {
    code: 403,
    message:
      'rolebindings.rbac.authorization.k8s.io "b" is forbidden: user "jane" (groups=["dev"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}',
  };
  await expect(admit(binding('ClusterRole/reader'))).rejects.toMatchObject(refused);
  give(rule('get', '', 'secrets'));
  await expect(admit(binding('ClusterRole/reader'))).resolves.toBeUndefined();
  await expect(admit(binding('ClusterRole/reader', 'ClusterRoleBinding'))).rejects.toMatchObject({
    code: 403,
  });
  give(rule('bind', group, 'clusterroles', ['reader']));
  await expect(admit(binding('ClusterRole/reader'))).resolves.toBeUndefined();
  give(rule('bind', group, 'clusterroles', ['other']));
  await expect(admit(binding('ClusterRole/reader'))).rejects.toMatchObject(refused);
});

test('a binding to a role that is not there is a 404, unless it may be bound', async () => {
  await expect(admit(binding('Role/gone'))).rejects.toMatchObject({
    code: 404,
    message: 'roles.rbac.authorization.k8s.io "gone" not found',
  });
  give(rule('bind', group, 'roles'));
  await expect(admit(binding('Role/gone'))).resolves.toBeUndefined();
});

test('an aggregationRule can gather anything: it takes all permissions', async () => {
  const selectors = { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] };
  const role = object('ClusterRole', 'sum', { aggregationRule: selectors });
  const refused = {
    message:
      'clusterroles.rbac.authorization.k8s.io "sum" is forbidden: must have cluster-admin privileges to use the aggregationRule',
  };
  await expect(admit(role)).rejects.toMatchObject(refused);
  const plain = object('ClusterRole', 'sum', {});
  await expect(admit(plain, { old: role })).rejects.toMatchObject(refused);
  await expect(admit(plain)).resolves.toBeUndefined();
});

test('missing roles of the writer are told with what he lacks', async () => {
  access.followers.roleBindings.put({
    ...object('RoleBinding', 'dangling', {}),
    roleRef: { apiGroup: group, kind: 'Role', name: 'gone' },
    subjects: [{ kind: 'Group', name: 'dev' }],
  });
  await expect(admit(podsRole)).rejects.toMatchObject({
    message: expect.stringMatching(
      /Verbs:\["get"\]\}; resolution errors: \[role\.rbac\.authorization\.k8s\.io "gone" not found\]$/,
    ) as string,
  });
});

test('owners and finalizers may be changed by who could not write the role', async () => {
  const next = structuredClone(secretsRole);
  next.metadata.finalizers = ['a.b/c'];
  next.metadata.ownerReferences = [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }];
  await expect(admit(next, { old: secretsRole })).resolves.toBeUndefined();
  next.metadata.labels = { 'rbac.authorization.k8s.io/aggregate-to-admin': 'true' };
  await expect(admit(next, { old: secretsRole })).rejects.toMatchObject({ code: 403 });
});

test('of a role that lacks very much, the refusal names the beginning', async () => {
  give(rule('get', '', 'secrets'));
  const list = (prefix: string, count: number): string[] =>
    Array.from({ length: count }, (_, i) => `${prefix}${i}`);
  const rules = [{ verbs: list('v', 20), apiGroups: list('g', 1000), resources: list('r', 1000) }];
  const refused = admit(object('Role', 'r', { rules })).then(
    () => '',
    (error: Error) => error.message,
  );
  const lines = (await refused).split('\n');
  expect(lines[1]).toMatch(/^\{APIGroups:\["g0"\], Resources:\["r0"\], Verbs:\["v0" "v1" /);
  expect(lines.at(-1)).toBe('... and more');
  expect(lines.length).toBeLessThanOrEqual(102);
});
