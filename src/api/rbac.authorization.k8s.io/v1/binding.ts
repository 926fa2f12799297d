import {
  invalid,
  invalidShown,
  notSupported,
  path,
  requiredField,
  validateEach,
  type FieldError,
  type FieldPath,
} from '../../../machinery/field-error.ts';
import type { KubeObject } from '../../../machinery/meta.ts';
import type { Column, UpdateStrategy } from '../../../machinery/resource.ts';
import { list, object, optional, required, string, type Infer } from '../../../machinery/schema.ts';
import { dns1123Subdomain, pathSegmentName } from '../../../machinery/validation/names.ts';
import { ageColumn, nameColumn } from '../../core/v1/columns.ts';
import { rbacGroup } from './policy-rule.ts';

const SubjectSchema = object('io.k8s.api.rbac.v1.Subject', 'Who a role is given to.', {
  kind: required(1, string(), 'User, Group or ServiceAccount.'),
  apiGroup: optional(2, string(), `${rbacGroup} for users and groups; empty for accounts.`),
  name: required(3, string(), 'The name.'),
  namespace: optional(4, string(), "Of a ServiceAccount; a RoleBinding's own if empty."),
});
export type Subject = Infer<typeof SubjectSchema>;

const RoleRefSchema = object('io.k8s.api.rbac.v1.RoleRef', 'Names a role.', {
  apiGroup: required(1, string(), `${rbacGroup}.`),
  kind: required(2, string(), 'Role or ClusterRole.'),
  name: required(3, string(), 'Its name.'),
});
export type RoleRef = Infer<typeof RoleRefSchema>;

/** Both kinds of binding are made of these. */
export const bindingFields = {
  subjects: optional(2, list(SubjectSchema), 'Who may do what the role says.', {
    listType: 'atomic',
  }),
  roleRef: required(3, RoleRefSchema, 'The role; cannot be changed.', { mapType: 'atomic' }),
} as const;

export interface AnyBinding extends KubeObject {
  roleRef: RoleRef;
  subjects?: Subject[] | undefined;
}

export function applyBindingDefaults(binding: AnyBinding): void {
  // Left out altogether, validation tells what it lacks.
  binding.roleRef ??= { apiGroup: '', kind: '', name: '' };
  binding.roleRef.apiGroup ||= rbacGroup;
  for (const subject of binding.subjects ?? []) {
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= rbacGroup;
  }
}

/** @param kinds of roles that it may name */
export function validateBinding(
  { roleRef, subjects = [] }: AnyBinding,
  kinds: readonly string[],
): FieldError[] {
  const at = path('roleRef');
  // What is required may be missing all the same: then it is empty.
  const [apiGroup, kind, name] = [roleRef.apiGroup ?? '', roleRef.kind ?? '', roleRef.name ?? ''];
  const errors: FieldError[] = [];
  if (apiGroup !== rbacGroup)
    errors.push(notSupported(at.child('apiGroup'), apiGroup, [rbacGroup]));
  if (!kinds.includes(kind)) errors.push(notSupported(at.child('kind'), kind, kinds));
  if (name === '') errors.push(requiredField(at.child('name')));
  else errors.push(...pathSegmentName(name).map(text => invalid(at.child('name'), name, text)));
  const namespaced = kinds.includes('Role');
  return [
    ...errors,
    ...validateEach(subjects, (each, i) =>
      validateSubject(each, path('subjects').index(i), namespaced),
    ),
  ];
}

function validateSubject(
  { apiGroup = '', namespace = '', ...subject }: Subject,
  at: FieldPath,
  namespaced: boolean,
): FieldError[] {
  const [kind, name] = [subject.kind ?? '', subject.name ?? ''];
  const errors = name === '' ? [requiredField(at.child('name'))] : [];
  switch (kind) {
    case 'ServiceAccount':
      if (name !== '')
        errors.push(...dns1123Subdomain(name).map(text => invalid(at.child('name'), name, text)));
      if (apiGroup !== '') errors.push(notSupported(at.child('apiGroup'), apiGroup, ['']));
      if (!namespaced && namespace === '') errors.push(requiredField(at.child('namespace')));
      break;
    case 'User':
    case 'Group':
      if (apiGroup !== rbacGroup)
        errors.push(notSupported(at.child('apiGroup'), apiGroup, [rbacGroup]));
      break;
    default:
      errors.push(notSupported(at.child('kind'), kind, ['ServiceAccount', 'User', 'Group']));
  }
  return errors;
}

/** A binding stays with its role: who may hand out one role shall not hand out another by editing. */
export const bindingUpdate: UpdateStrategy<AnyBinding> = {
  prepareForUpdate: () => undefined,
  validateUpdate({ roleRef: next }, { roleRef: old }) {
    const same = next.apiGroup === old.apiGroup && next.kind === old.kind && next.name === old.name;
    const shown = `rbac.RoleRef{APIGroup:${JSON.stringify(next.apiGroup)}, Kind:${JSON.stringify(next.kind)}, Name:${JSON.stringify(next.name)}}`;
    return same ? [] : [invalidShown(path('roleRef'), shown, 'cannot change roleRef')];
  },
};

const subjectsColumn = (
  name: string,
  kind: string,
  text: (subject: Subject) => string,
): Column<AnyBinding> => ({
  name,
  type: 'string',
  description: `${name} that the role is given to`,
  priority: 1,
  cell: ({ subjects = [] }) =>
    subjects
      .filter(each => each.kind === kind)
      .map(text)
      .join(', '),
});

export const bindingColumns: readonly Column<AnyBinding>[] = [
  nameColumn,
  {
    name: 'Role',
    type: 'string',
    description: 'The role',
    cell: ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`,
  },
  ageColumn,
  subjectsColumn('Users', 'User', ({ name }) => name),
  subjectsColumn('Groups', 'Group', ({ name }) => name),
  subjectsColumn(
    'ServiceAccounts',
    'ServiceAccount',
    ({ namespace = '', name }) => `${namespace}/${name}`,
  ),
];
