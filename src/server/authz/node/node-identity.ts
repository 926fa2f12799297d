import type { UserInfo } from '../../authn/authenticator.ts';

const nodesGroup = 'system:nodes';
const prefix = 'system:node:';

/** The node that a user is; undefined where it is none, empty where it does not say which. */
export const nodeNameOf = ({ name, groups }: UserInfo): string | undefined =>
  name.startsWith(prefix) && groups.includes(nodesGroup) ? name.slice(prefix.length) : undefined;
