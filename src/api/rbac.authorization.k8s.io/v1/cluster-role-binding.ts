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

export const ClusterRoleBindingSchema = kindSchema(
  'io.k8s.api.rbac.v1.ClusterRoleBinding',
  'ClusterRoleBinding says who may do everywhere what a ClusterRole allows.',
  bindingFields,
);
export type ClusterRoleBinding = Infer<typeof ClusterRoleBindingSchema>;

export const clusterRoleBindingResource: ResourceDescriptor<ClusterRoleBinding> = {
  group: rbacGroup,
  version: 'v1',
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  singular: 'clusterrolebinding',
  namespaced: false,
  stored: true,
  verbs: allVerbs,
  schema: ClusterRoleBindingSchema,
  nameRule: 'path-segment',
  allowCreateOnUpdate: true,
  applyDefaults: applyBindingDefaults,
  validate: binding => validateBinding(binding, ['ClusterRole']),
  update: bindingUpdate,
  columns: bindingColumns,
};
