import type { UserInfo } from '../../authn/authenticator.ts';
import { anonymous } from '../../authn/authenticator.ts';
import { mastersGroup } from '../../authz/privileged-groups.ts';

/** Who shares with whom: all that one client sends counts together. */
export interface Client {
  readonly key: string;
  /** Not limited in number, as Kubernetes' flow schema `exempt`: administrators, nodes, Keylet's controllers. */
  readonly isExempt: boolean;
}

const exemptGroups: ReadonlySet<string> = new Set([mastersGroup, 'system:nodes']);
const exemptUsers: ReadonlySet<string> = new Set(['system:kube-controller-manager']);

/** @param user who sent the request, not as whom he acts; the unauthenticated are told apart by their address */
export const clientOf = (user: UserInfo, address: () => string): Client =>
  user.name === anonymous.name
    ? { key: `address ${address()}`, isExempt: false }
    : {
        key: `user ${user.name}`,
        isExempt: exemptUsers.has(user.name) || user.groups.some(group => exemptGroups.has(group)),
      };
