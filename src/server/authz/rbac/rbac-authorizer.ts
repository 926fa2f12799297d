import type { PolicyRule } from '../../../api/rbac.authorization.k8s.io/v1/policy-rule.ts';
import type { RoleRef } from '../../../api/rbac.authorization.k8s.io/v1/binding.ts';
import type { UserInfo } from '../../authn/authenticator.ts';
import { noOpinion, type Authorizer } from '../authorizer.ts';
import type { AccessRules } from './access-rules.ts';

/** Role-based access control: allowed is what a rule of a bound role allows, and nothing else. */
export const rbacAuthorizer =
  (access: AccessRules): Authorizer =>
  attributes => {
    const { user, namespace } = attributes;
    const missing: RoleRef[] = [];
    for (const { roleRef, verdict } of access.grantsOf(user, namespace)) {
      const role = access.role(roleRef, namespace);
      if (role === undefined) missing.push(roleRef);
      else if (role.allows(attributes)) return verdict;
    }
    if (missing.length === 0) return noOpinion;
    return { decision: 'no-opinion', reason: `RBAC: ${resolutionErrors(missing)}` };
  };

/** Bindings to roles that are not there, as the authorizer of Kubernetes tells of them. */
function resolutionErrors(missing: readonly RoleRef[]): string {
  const texts = [...new Set(missing.map(notThere))];
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
}

const notThere = ({ apiGroup, kind, name }: RoleRef): string =>
  `${kind.toLowerCase()}.${apiGroup} ${JSON.stringify(name)} not found`;

export interface UserRules {
  readonly rules: readonly PolicyRule[];
  /** Why there may be more; empty when these are all. */
  readonly problem: string;
}

/** Every rule that holds for a user in a namespace. */
export function rulesFor(access: AccessRules, user: UserInfo, namespace: string): UserRules {
  const rules: PolicyRule[] = [];
  const missing: RoleRef[] = [];
  for (const { roleRef } of access.grantsOf(user, namespace)) {
    const role = access.role(roleRef, namespace);
    if (role === undefined) missing.push(roleRef);
    else rules.push(...role.rules);
  }
  return { rules, problem: missing.length === 0 ? '' : resolutionErrors(missing) };
}
