import { beforeEach, expect, test } from 'vitest';
import type { AnyBinding, Subject } from '../../../api/rbac.authorization.k8s.io/v1/binding.ts';
import type { UserInfo } from '../../authn/authenticator.ts';
import type { Attributes } from '../authorizer.ts';
import { createAccessRules, type AccessRules, type AnyRole } from './access-rules.ts';
import { rbacAuthorizer, rolesOf } from './rbac-authorizer.ts';

const group = 'rbac.authorization.k8s.io';
const rules = [{ verbs: ['get'], apiGroups: [''], resources: ['secrets'] }];
const role = (name: string, namespace = ''): AnyRole => ({
  apiVersion: `${group}/v1`,
  kind: namespace === '' ? 'ClusterRole' : 'Role',
  metadata: { name, namespace },
  rules,
});
const binding = (
  name: string,
  subjects: Subject[],
  { namespace = '', to = 'ClusterRole/reader' } = {},
): AnyBinding => {
  const [kind = '', roleName = ''] = to.split('/');
  return {
    apiVersion: `${group}/v1`,
    kind: namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: { name, namespace },
    roleRef: { apiGroup: group, kind, name: roleName },
    subjects,
  };
};
const jane: Subject = { kind: 'User', name: 'jane' };
const dev: Subject = { kind: 'Group', name: 'dev' };
const builder: Subject = { kind: 'ServiceAccount', name: 'builder' };

const ask = (user: UserInfo, attributes: Partial<Attributes> = {}): Attributes => ({
  user,
  isResource: true,
  verb: 'get',
  path: '',
  group: '',
  resource: 'secrets',
  subresource: '',
  namespace: 'a',
  name: 'x',
  ...attributes,
});
const user = (name: string, ...groups: string[]): UserInfo => ({ name, groups });

let access: AccessRules;
let followers: AccessRules['followers'];
beforeEach(() => {
  access = createAccessRules();
  ({ followers } = access);
  followers.clusterRoles.put(role('reader'));
});
const verdict = (who: UserInfo, attributes: Partial<Attributes> = {}) =>
  rbacAuthorizer(access)(ask(who, attributes));
const decision = (who: UserInfo, attributes: Partial<Attributes> = {}) =>
  verdict(who, attributes).decision;

test('without a binding nobody may anything', () => {
  expect(verdict(user('jane', 'dev'))).toEqual({ decision: 'no-opinion', reason: '' });
});

test.each([
  {
    title: 'a user everywhere',
    put: binding('b', [jane]),
    who: user('jane'),
    reason: 'RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "reader" to User "jane"',
    everywhere: true,
  },
  {
    title: 'a group in a namespace',
    put: binding('b', [dev], { namespace: 'a' }),
    who: user('john', 'ops', 'dev'),
    reason: 'RBAC: allowed by RoleBinding "b/a" of ClusterRole "reader" to Group "dev"',
    everywhere: false,
  },
  {
    title: "an account of the binding's namespace",
    put: binding('b', [builder], { namespace: 'a' }),
    who: user('system:serviceaccount:a:builder'),
    reason:
      'RBAC: allowed by RoleBinding "b/a" of ClusterRole "reader" to ServiceAccount "builder/a"',
    everywhere: false,
  },
  {
    title: 'an account of another namespace',
    put: binding('b', [{ ...builder, namespace: 'ci' }]),
    who: user('system:serviceaccount:ci:builder'),
    reason:
      'RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "reader" to ServiceAccount "builder/ci"',
    everywhere: true,
  },
])('a binding lets in $title', ({ put, who, reason, everywhere }) => {
  const { clusterRoleBindings, roleBindings } = followers;
  (put.metadata.namespace === '' ? clusterRoleBindings : roleBindings).put(put);
  expect(verdict(who)).toEqual({ decision: 'allow', reason });
  expect(decision(who, { verb: 'list' })).toBe('no-opinion');
  expect(decision(who, { namespace: 'b' })).toBe(everywhere ? 'allow' : 'no-opinion');
  expect(decision(who, { namespace: '' })).toBe(everywhere ? 'allow' : 'no-opinion');
  expect(decision(user('somebody'))).toBe('no-opinion');
});

test('a Role is of its own namespace', () => {
  followers.roles.put(role('local', 'a'));
  followers.roleBindings.put(binding('b', [jane], { namespace: 'a', to: 'Role/local' }));
  followers.roleBindings.put(binding('b', [jane], { namespace: 'c', to: 'Role/local' }));
  expect(decision(user('jane'))).toBe('allow');
  expect(verdict(user('jane'), { namespace: 'c' })).toEqual({
    decision: 'no-opinion',
    reason: 'RBAC: role.rbac.authorization.k8s.io "local" not found',
  });
});

test('a cluster-wide binding without a namespace for its account is nobody’s', () => {
  followers.clusterRoleBindings.put(binding('b', [builder]));
  expect(decision(user('system:serviceaccount::builder'))).toBe('no-opinion');
});

test('a user is no group of the same name, nor the other way round', () => {
  followers.clusterRoleBindings.put(binding('b', [jane, { kind: 'Group', name: 'ops' }]));
  expect(decision(user('ops', 'jane'))).toBe('no-opinion');
});

test('what a binding gave ends with it, with its subject, and with its role', () => {
  const { clusterRoleBindings, clusterRoles } = followers;
  clusterRoleBindings.put(binding('b', [jane, dev]));
  clusterRoleBindings.put(binding('c', [dev]));
  clusterRoleBindings.put(binding('b', [dev]));
  expect(decision(user('jane'))).toBe('no-opinion');
  clusterRoleBindings.remove('', 'c');
  expect(decision(user('x', 'dev'))).toBe('allow');
  clusterRoles.put({ ...role('reader'), rules: [] });
  expect(decision(user('x', 'dev'))).toBe('no-opinion');
  clusterRoles.put(role('reader'));
  expect(decision(user('x', 'dev'))).toBe('allow');
  clusterRoles.remove('', 'reader');
  expect(decision(user('x', 'dev'))).toBe('no-opinion');
  clusterRoles.put(role('reader'));
  clusterRoleBindings.remove('', 'b');
  expect(decision(user('x', 'dev'))).toBe('no-opinion');
  expect([...access.grantsOf(user('x', 'dev'), 'a')]).toEqual([]);
});

test('clear() forgets its kind alone', () => {
  followers.clusterRoleBindings.put(binding('b', [jane]));
  followers.roleBindings.put(binding('b', [dev], { namespace: 'a' }));
  followers.roleBindings.clear();
  expect(decision(user('x', 'dev'))).toBe('no-opinion');
  expect(decision(user('jane'))).toBe('allow');
});

test('rolesOf() gathers each role once, and tells which roles are not there', () => {
  followers.clusterRoleBindings.put(binding('b', [jane]));
  followers.roleBindings.put(binding('b', [dev], { namespace: 'a', to: 'ClusterRole/gone' }));
  followers.roleBindings.put(binding('c', [dev], { namespace: 'a', to: 'Role/gone' }));
  followers.clusterRoleBindings.put(binding('d', [dev, jane]));
  const found = (namespace: string) => {
    const { roles, problem } = rolesOf(access, user('jane', 'dev'), namespace);
    return { rules: roles.map(each => each.rules), problem };
  };
  expect(found('')).toEqual({ rules: [rules], problem: '' });
  expect(found('a')).toEqual({
    rules: [rules],
    problem:
      '[clusterrole.rbac.authorization.k8s.io "gone" not found, role.rbac.authorization.k8s.io "gone" not found]',
  });
});
