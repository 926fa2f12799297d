import type { ClusterRoleBinding } from '../../api/rbac.authorization.k8s.io/v1/cluster-role-binding.ts';
import type { ClusterRole } from '../../api/rbac.authorization.k8s.io/v1/cluster-role.ts';
import type { RoleBinding } from '../../api/rbac.authorization.k8s.io/v1/role-binding.ts';
import type { Role } from '../../api/rbac.authorization.k8s.io/v1/role.ts';
import type { Pod } from '../../api/core/v1/pod.ts';
import { followObjects, type FollowOptions } from '../registry/follow-objects.ts';
import type { ObjectStore } from '../registry/object-store.ts';
import { anyOf, type Authorizer } from './authorizer.ts';
import { nodeAuthorizer } from './node/node-authorizer.ts';
import { createPodGraph } from './node/pod-graph.ts';
import { privilegedGroups } from './privileged-groups.ts';
import { createAccessRules, type AccessRules } from './rbac/access-rules.ts';
import { reconcileBootstrapPolicy } from './rbac/bootstrap/reconcile.ts';
import { rbacAuthorizer } from './rbac/rbac-authorizer.ts';
import { ruleResolver, type RuleResolver } from './rule-resolver.ts';

export interface AuthorizationOptions extends FollowOptions {
  readonly pods: ObjectStore<Pod>;
  readonly roles: ObjectStore<Role>;
  readonly roleBindings: ObjectStore<RoleBinding>;
  readonly clusterRoles: ObjectStore<ClusterRole>;
  readonly clusterRoleBindings: ObjectStore<ClusterRoleBinding>;
}

export interface Authorization {
  readonly authorize: Authorizer;
  readonly rulesFor: RuleResolver;
  readonly access: AccessRules;
}

/** Administrators, nodes, then roles. All of it is in memory when this resolves, and stays true by watches. */
export async function startAuthorization(options: AuthorizationOptions): Promise<Authorization> {
  const { pods, roles, roleBindings, clusterRoles, clusterRoleBindings } = options;
  const access = createAccessRules();
  const graph = createPodGraph();
  const { followers } = access;
  await reconcileBootstrapPolicy(clusterRoles, clusterRoleBindings);
  await Promise.all([
    followObjects(pods, graph, options),
    followObjects(roles, followers.roles, options),
    followObjects(roleBindings, followers.roleBindings, options),
    followObjects(clusterRoles, followers.clusterRoles, options),
    followObjects(clusterRoleBindings, followers.clusterRoleBindings, options),
  ]);
  return {
    authorize: anyOf(privilegedGroups, nodeAuthorizer(graph), rbacAuthorizer(access)),
    rulesFor: ruleResolver(access),
    access,
  };
}
