import { expect, test } from 'vitest';
import type { FieldError } from '../../../machinery/field-error.ts';
import { clusterRoleBindingResource } from './cluster-role-binding.ts';
import { clusterRoleResource, type ClusterRole } from './cluster-role.ts';
import { roleBindingResource, type RoleBinding } from './role-binding.ts';
import { roleResource, type Role } from './role.ts';

const texts = (errors: FieldError[] = []): string[] =>
  errors.map(each => `${each.field}: ${each.message}`);
const meta = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: 'x' } };

const pods = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
const paths = { verbs: ['get'], nonResourceURLs: ['/healthz'] };

test.each([
  { rule: pods, errors: [] },
  { rule: { ...pods, resourceNames: ['a', 'b'], resources: ['pods', 'secrets'] }, errors: [] },
  {
    rule: { ...pods, verbs: [] },
    errors: ['rules[0].verbs: Required value: verbs must contain at least one value'],
  },
  {
    rule: { verbs: ['get'] },
    errors: [
      'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
      'rules[0].resources: Required value: resource rules must supply at least one resource',
    ],
  },
  {
    rule: paths,
    errors: [
      'rules[0].nonResourceURLs: Invalid value: []string{"/healthz"}: namespaced rules cannot apply to non-resource URLs',
    ],
  },
])('a Role with $rule is answered $errors', ({ rule, errors }) => {
  const role = { ...meta, kind: 'Role', rules: [rule] } as Role;
  expect(texts(roleResource.validate?.(role))).toEqual(errors);
});

test.each([
  { content: { rules: [paths] }, errors: [] },
  {
    content: { rules: [{ ...paths, resources: ['pods'] }] },
    errors: [
      'rules[0].nonResourceURLs: Invalid value: []string{"/healthz"}: rules cannot apply to both regular resources and non-resource URLs',
    ],
  },
  { content: { aggregationRule: { clusterRoleSelectors: [{}] } }, errors: [] },
  {
    content: { aggregationRule: {} },
    errors: [
      'aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil',
    ],
  },
  {
    content: {
      aggregationRule: {
        clusterRoleSelectors: [
          { matchExpressions: [{ key: 'a', operator: 'In' }] },
          { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['x'] }] },
          { matchExpressions: [{ key: 'a', operator: 'Like' }] },
        ],
      },
    },
    errors: [
      "aggregationRule.clusterRoleSelectors[0].matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
      "aggregationRule.clusterRoleSelectors[1].matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
      'aggregationRule.clusterRoleSelectors[2].matchExpressions[0].operator: Invalid value: "Like": not a valid selector operator',
    ],
  },
])('a ClusterRole with $content is answered $errors', ({ content, errors }) => {
  const role = { ...meta, kind: 'ClusterRole', ...content } as ClusterRole;
  expect(texts(clusterRoleResource.validate?.(role))).toEqual(errors);
});

const binding = (content: object): RoleBinding => {
  const made = { ...meta, kind: 'RoleBinding', ...structuredClone(content) } as RoleBinding;
  roleBindingResource.applyDefaults?.(made);
  return made;
};
const roleRef = { kind: 'Role', name: 'reader' };

test('a binding gets the API group of its role, of users and of groups, and none for accounts', () => {
  const subjects = [
    { kind: 'User', name: 'jane' },
    { kind: 'Group', name: 'dev' },
    { kind: 'ServiceAccount', name: 'default' },
  ];
  const made = binding({ roleRef, subjects });
  expect(made.roleRef.apiGroup).toBe('rbac.authorization.k8s.io');
  expect(made.subjects?.map(each => each.apiGroup)).toEqual([
    'rbac.authorization.k8s.io',
    'rbac.authorization.k8s.io',
    undefined,
  ]);
  expect(roleBindingResource.validate?.(made)).toEqual([]);
});

test.each([
  {
    content: {},
    errors: [
      'roleRef.kind: Unsupported value: "": supported values: "Role", "ClusterRole"',
      'roleRef.name: Required value',
    ],
  },
  {
    content: { roleRef: { apiGroup: 'apps', kind: 'Role', name: 'a/b' } },
    errors: [
      'roleRef.apiGroup: Unsupported value: "apps": supported values: "rbac.authorization.k8s.io"',
      'roleRef.name: Invalid value: "a/b": may not contain \'/\'',
    ],
  },
  {
    content: {
      roleRef,
      subjects: [
        { kind: 'Robot', name: 'r2' },
        { kind: 'User' },
        { kind: 'ServiceAccount', apiGroup: 'x', name: 'Bad' },
        { kind: 'Group', apiGroup: 'x', name: 'dev' },
      ],
    },
    errors: [
      'subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"',
      'subjects[1].name: Required value',
      expect.stringMatching(/^subjects\[2\]\.name: Invalid value: "Bad": a lowercase RFC 1123/),
      'subjects[2].apiGroup: Unsupported value: "x": supported values: ""',
      'subjects[3].apiGroup: Unsupported value: "x": supported values: "rbac.authorization.k8s.io"',
    ],
  },
])('a RoleBinding with $content is answered $errors', ({ content, errors }) => {
  expect(texts(roleBindingResource.validate?.(binding(content)))).toEqual(errors);
});

test('a ClusterRoleBinding names no Role, and says where an account is', () => {
  const made = binding({ roleRef, subjects: [{ kind: 'ServiceAccount', name: 'default' }] });
  expect(texts(clusterRoleBindingResource.validate?.(made))).toEqual([
    'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
    'subjects[0].namespace: Required value',
  ]);
});

test('the role of a binding cannot be changed', () => {
  const next = binding({ roleRef: { kind: 'ClusterRole', name: 'admin' } });
  const errors = roleBindingResource.update?.validateUpdate(next, binding({ roleRef }));
  expect(texts(errors)).toEqual([
    'roleRef: Invalid value: rbac.RoleRef{APIGroup:"rbac.authorization.k8s.io", Kind:"ClusterRole", Name:"admin"}: cannot change roleRef',
  ]);
});
