import type { AnyBinding, RoleRef } from '../../../api/rbac.authorization.k8s.io/v1/binding.ts';
import type { PolicyRule } from '../../../api/rbac.authorization.k8s.io/v1/policy-rule.ts';
import type { KubeObject } from '../../../machinery/meta.ts';
import type { UserInfo } from '../../authn/authenticator.ts';
import type { Follower } from '../../registry/follow-objects.ts';
import { createBindingTable, type Grant } from './binding-table.ts';
import { compileRole, type CompiledRole } from './compiled-role.ts';

/** A Role or a ClusterRole. */
export interface AnyRole extends KubeObject {
  rules?: PolicyRule[] | undefined;
}

/** Every role and binding, in memory: fed by watches, asked by every request. */
export interface AccessRules {
  /** A grant of each role that the user has: in the whole cluster first, then in the namespace (empty for none). */
  grantsOf(user: UserInfo, namespace: string): Iterable<Grant>;
  /** @param namespace of the binding: where a Role is sought */
  role(roleRef: RoleRef, namespace: string): CompiledRole | undefined;
  readonly followers: {
    readonly roles: Follower<AnyRole>;
    readonly clusterRoles: Follower<AnyRole>;
    readonly roleBindings: Follower<AnyBinding>;
    readonly clusterRoleBindings: Follower<AnyBinding>;
  };
}

export function createAccessRules(): AccessRules {
  const roles = createRoleTable();
  const clusterRoles = createRoleTable();
  const bindings = createBindingTable();
  const clusterBindings = createBindingTable();
  return {
    *grantsOf(user, namespace) {
      const seen = new Set<string>();
      for (const [table, place] of [
        [clusterBindings, ''],
        [bindings, namespace],
      ] as const) {
        if (table === bindings && namespace === '') continue;
        for (const grant of table.grantsOf(user, place)) {
          if (seen.has(grant.roleKey)) continue;
          seen.add(grant.roleKey);
          yield grant;
        }
      }
    },
    role: ({ kind, name }, namespace) =>
      kind === 'ClusterRole' ? clusterRoles.get('', name) : roles.get(namespace, name),
    followers: {
      roles,
      clusterRoles,
      roleBindings: bindings,
      clusterRoleBindings: clusterBindings,
    },
  };
}

function createRoleTable(): Follower<AnyRole> & {
  get(namespace: string, name: string): CompiledRole | undefined;
} {
  const roles = new Map<string, CompiledRole>();
  return {
    put: ({ metadata: { namespace = '', name = '' }, rules }) =>
      void roles.set(`${namespace}/${name}`, compileRole(rules ?? [])),
    remove: (namespace, name) => void roles.delete(`${namespace}/${name}`),
    clear: () => roles.clear(),
    get: (namespace, name) => roles.get(`${namespace}/${name}`),
  };
}
