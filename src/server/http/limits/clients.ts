import { anonymous, type UserInfo } from '../../authn/authenticator.ts';
import { tlsSocketOf, type AnyRequest } from '../listener.ts';
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
export const clientOf = (user: UserInfo, request: AnyRequest): Client =>
  user.name === anonymous.name
    ? { key: `address ${tlsSocketOf(request)?.remoteAddress ?? ''}`, isExempt: false }
    : {
        key: `user ${user.name}`,
        isExempt: exemptUsers.has(user.name) || user.groups.some(group => exemptGroups.has(group)),
      };
