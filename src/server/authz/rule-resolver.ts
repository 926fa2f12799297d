import type { PolicyRule } from '../../api/rbac.authorization.k8s.io/v1/policy-rule.ts';
import type { UserInfo } from '../authn/authenticator.ts';
import { nodeNameOf } from './node/node-identity.ts';
import type { AccessRules } from './rbac/access-rules.ts';
import type { CompiledRole } from './rbac/compiled-role.ts';
import { rolesOf } from './rbac/rbac-authorizer.ts';

export interface ResolvedRules {
  readonly rules: readonly PolicyRule[];
  /** Whether the user may be allowed more than the rules say. */
  readonly incomplete: boolean;
  /** Why; empty when nothing went wrong. */
  readonly problem: string;
}

/** What a user may do in a namespace, as far as it can be listed: `kubectl auth can-i --list`. */
export type RuleResolver = (user: UserInfo, namespace: string) => ResolvedRules;

/** More than any role has. A list is encoded in one piece, which must not hold up other requests. */
const maxListedLength = 2 * 1024 * 1024;

export const ruleResolver =
  (access: AccessRules): RuleResolver =>
  (user, namespace) => {
    const { roles, problem } = rolesOf(access, user, namespace);
    const { rules, total } = listRules(roles);
    const isNode = nodeNameOf(user) !== undefined;
    const isCut = rules.length < total;
    const problems = [
      isNode ? 'node authorizer does not support user rule resolution' : '',
      isCut ? `only ${rules.length} of ${total} rules are listed` : '',
      problem,
    ].filter(each => each !== '');
    return {
      rules,
      incomplete: isNode || isCut,
      problem: problems.length > 1 ? `[${problems.join(', ')}]` : (problems[0] ?? ''),
    };
  };

/** The rules of the roles in their order, up to the length of what can be listed. */
function listRules(roles: readonly CompiledRole[]): { rules: PolicyRule[]; total: number } {
  const rules: PolicyRule[] = [];
  let total = 0;
  let left = maxListedLength;
  for (const role of roles) {
    total += role.rules.length;
    for (const rule of role.rules) {
      if (left <= 0) break;
      left -= lengthOf(rule, left);
      if (left > 0) rules.push(rule);
    }
  }
  return { rules, total };
}

/** About as many characters as the rule takes as JSON. @param max beyond which they are not counted */
function lengthOf(rule: PolicyRule, max: number): number {
  let length = 100;
  const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } = rule;
  for (const values of [verbs, apiGroups, resources, resourceNames, nonResourceURLs]) {
    for (const value of values ?? []) {
      length += value.length + 3;
      if (length > max) return length;
    }
  }
  return length;
}
