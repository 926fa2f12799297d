import { path } from '../../../machinery/field-error.ts';
import { kindSchema } from '../../../machinery/meta.ts';
import type { ResourceDescriptor } from '../../../machinery/resource.ts';
import type { Infer } from '../../../machinery/schema.ts';
import { allVerbs, nameColumn } from '../../core/v1/columns.ts';
import { createdAtColumn } from './columns.ts';
import { rbacGroup, rulesField, validateRules } from './policy-rule.ts';

export const RoleSchema = kindSchema(
  'io.k8s.api.rbac.v1.Role',
  'Role says what may be done in a namespace; a RoleBinding says by whom.',
  { rules: rulesField },
);
export type Role = Infer<typeof RoleSchema>;

export const roleResource: ResourceDescriptor<Role> = {
  group: rbacGroup,
  version: 'v1',
  kind: 'Role',
  plural: 'roles',
  singular: 'role',
  namespaced: true,
  stored: true,
  verbs: allVerbs,
  schema: RoleSchema,
  nameRule: 'path-segment',
  allowCreateOnUpdate: true,
  validate: ({ rules = [] }) => validateRules(rules, path('rules'), { namespaced: true }),
  columns: [nameColumn, createdAtColumn],
};
