import { noOpinion, type Authorizer, type Verdict } from './authorizer.ts';

export const mastersGroup = 'system:masters';

const allowed: Verdict = { decision: 'allow', reason: '' };

/** Administrators may all: no rule of anybody's can lock them out. */
export const privilegedGroups: Authorizer = ({ user }) =>
  user.groups.includes(mastersGroup) ? allowed : noOpinion;
