import type { ResourceDescriptor } from '../../machinery/resource.ts';
import { clusterRoleResource } from './v1/cluster-role.ts';
import { clusterRoleBindingResource } from './v1/cluster-role-binding.ts';
import { roleResource } from './v1/role.ts';
import { roleBindingResource } from './v1/role-binding.ts';

export const rbacResources: readonly ResourceDescriptor[] = [
  roleResource,
  roleBindingResource,
  clusterRoleResource,
  clusterRoleBindingResource,
];
