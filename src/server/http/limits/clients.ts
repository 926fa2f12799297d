import { anonymous, type UserInfo } from '../../authn/authenticator.ts';
import { tlsSocketOf, type AnyRequest } from '../listener.ts';
import { mastersGroup } from '../../authz/privileged-groups.ts';
import type { Sharer } from './shares.ts';
import { sourceNetwork } from './source-network.ts';

/** Who shares with whom: all that one client sends counts together. */
export interface Client extends Sharer {
  /** Not limited in number, as Kubernetes' flow schema `exempt`: administrators, nodes, Keylet's controllers. */
  readonly isExempt: boolean;
}

const exemptGroups: ReadonlySet<string> = new Set([mastersGroup, 'system:nodes']);
const exemptUsers: ReadonlySet<string> = new Set(['system:kube-controller-manager']);

/**
 * The unauthenticated are told apart by their network, and share as one group; so do the service accounts of a
 * namespace, which whoever administers it can create in any number.
 * @param user who sent the request, not as whom he acts
 */
export function clientOf(user: UserInfo, request: AnyRequest): Client {
  if (user.name === anonymous.name) {
    const network = sourceNetwork(tlsSocketOf(request)?.remoteAddress ?? '');
    return { key: `network ${network}`, group: 'anonymous', isExempt: false };
  }
  const key = `user ${user.name}`;
  const namespace = /^system:serviceaccount:([^:]+):[^:]+$/.exec(user.name)?.[1];
  return {
    key,
    group: namespace === undefined ? key : `namespace ${namespace}`,
    isExempt: exemptUsers.has(user.name) || user.groups.some(group => exemptGroups.has(group)),
  };
}
