import { kindSchema } from '../../../machinery/meta.ts';
import type { ResourceDescriptor } from '../../../machinery/resource.ts';
import type { Infer } from '../../../machinery/schema.ts';
import { allVerbs } from '../../core/v1/columns.ts';
import {
  applyBindingDefaults,
  bindingColumns,
  bindingFields,
  bindingUpdate,
  validateBinding,
} from './binding.ts';
import { rbacGroup } from './policy-rule.ts';

export const RoleBindingSchema = kindSchema(
  'io.k8s.api.rbac.v1.RoleBinding',
  'RoleBinding says who may do in its namespace what a Role or a ClusterRole allows.',
  bindingFields,
);
export type RoleBinding = Infer<typeof RoleBindingSchema>;

export const roleBindingResource: ResourceDescriptor<RoleBinding> = {
  group: rbacGroup,
  version: 'v1',
  kind: 'RoleBinding',
  plural: 'rolebindings',
  singular: 'rolebinding',
  namespaced: true,
  stored: true,
  verbs: allVerbs,
  schema: RoleBindingSchema,
  nameRule: 'path-segment',
  allowCreateOnUpdate: true,
  applyDefaults: applyBindingDefaults,
  validate: binding => validateBinding(binding, ['Role', 'ClusterRole']),
  update: bindingUpdate,
  columns: bindingColumns,
};
