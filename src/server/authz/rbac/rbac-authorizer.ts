import type { RoleRef } from '../../../api/rbac.authorization.k8s.io/v1/binding.ts';
import type { UserInfo } from '../../authn/authenticator.ts';
import { noOpinion, type Authorizer } from '../authorizer.ts';
import type { AccessRules } from './access-rules.ts';
import { questionOf, type CompiledRole } from './compiled-role.ts';

/** Role-based access control: allowed is what a rule of a bound role allows, and nothing else. */
export const rbacAuthorizer =
  (access: AccessRules): Authorizer =>
  attributes => {
    const { user, namespace } = attributes;
    const question = questionOf(attributes);
    const missing: RoleRef[] = [];
    for (const { roleRef, verdict } of access.grantsOf(user, namespace)) {
      const role = access.role(roleRef, namespace);
      if (role === undefined) missing.push(roleRef);
      else if (role.allows(question)) return verdict;
    }
    if (missing.length === 0) return noOpinion;
    return { decision: 'no-opinion', reason: `RBAC: ${resolutionErrors(missing)}` };
  };

/** How many roles a message names. */
const maxNamed = 100;

/** Bindings to roles that are not there, as the authorizer of Kubernetes tells of them. */
function resolutionErrors(missing: readonly RoleRef[]): string {
  const texts = missing.slice(0, maxNamed).map(notThere);
  if (missing.length > maxNamed) texts.push(`... and ${missing.length - maxNamed} more`);
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
}

const notThere = ({ apiGroup, kind, name }: RoleRef): string =>
  `${kind.toLowerCase()}.${apiGroup} ${JSON.stringify(name)} not found`;

export interface UserRoles {
  readonly roles: readonly CompiledRole[];
  /** Why there may be more; empty when these are all. */
  readonly problem: string;
}

/** The roles that a user has in a namespace, each once. */
export function rolesOf(access: AccessRules, user: UserInfo, namespace: string): UserRoles {
  const roles: CompiledRole[] = [];
  const missing: RoleRef[] = [];
  for (const { roleRef } of access.grantsOf(user, namespace)) {
    const role = access.role(roleRef, namespace);
    if (role === undefined) missing.push(roleRef);
    else roles.push(role);
  }
  return { roles, problem: missing.length === 0 ? '' : resolutionErrors(missing) };
}
