import type { PolicyRule } from '../../api/rbac.authorization.k8s.io/v1/policy-rule.ts';
import type { UserInfo } from '../authn/authenticator.ts';
import { nodeNameOf } from './node/node-identity.ts';
import type { AccessRules } from './rbac/access-rules.ts';
import { rulesFor } from './rbac/rbac-authorizer.ts';

export interface ResolvedRules {
  readonly rules: readonly PolicyRule[];
  /** Whether the user may more than the rules say. */
  readonly incomplete: boolean;
  /** Why; empty when nothing went wrong. */
  readonly problem: string;
}

/** What a user may in a namespace, as far as it can be listed: `kubectl auth can-i --list`. */
export type RuleResolver = (user: UserInfo, namespace: string) => ResolvedRules;

export const ruleResolver =
  (access: AccessRules): RuleResolver =>
  (user, namespace) => {
    const { rules, problem } = rulesFor(access, user, namespace);
    if (nodeNameOf(user) === undefined) return { rules, incomplete: false, problem };
    const ofNodes = 'node authorizer does not support user rule resolution';
    return {
      rules,
      incomplete: true,
      problem: problem === '' ? ofNodes : `[${ofNodes}, ${problem}]`,
    };
  };
