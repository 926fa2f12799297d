import type { Secret } from './secret.ts';

/*
 * Legacy tokens (pkg/serviceaccount/legacy.go): a Secret of this type that names an account is filled with a
 * token that never expires, and that is good as long as the Secret holds it.
 */
export const tokenSecretType = 'kubernetes.io/service-account-token';
export const accountNameAnnotation = 'kubernetes.io/service-account.name';
export const accountUidAnnotation = 'kubernetes.io/service-account.uid';
/** The day on which the token was last used, `YYYY-MM-DD`. */
export const lastUsedLabel = 'kubernetes.io/legacy-token-last-used';
/** A Secret that has it holds a token that is refused. */
export const invalidSinceLabel = 'kubernetes.io/legacy-token-invalid-since';

export const legacyIssuer = 'kubernetes/serviceaccount';

/** Whose a legacy token is, and which Secret holds it. */
export interface LegacyTokenSubject {
  readonly namespace: string;
  readonly account: string;
  readonly accountUid: string;
  readonly secret: string;
}

const prefix = 'kubernetes.io/serviceaccount';
const claimOf = {
  namespace: `${prefix}/namespace`,
  account: `${prefix}/service-account.name`,
  accountUid: `${prefix}/service-account.uid`,
  secret: `${prefix}/secret.name`,
} as const;

/** The claims of a JWT, `iss` and `sub` too. */
export const legacyClaims = (subject: LegacyTokenSubject): Record<string, string> => ({
  iss: legacyIssuer,
  sub: `system:serviceaccount:${subject.namespace}:${subject.account}`,
  [claimOf.namespace]: subject.namespace,
  [claimOf.account]: subject.account,
  [claimOf.accountUid]: subject.accountUid,
  [claimOf.secret]: subject.secret,
});

/** @returns undefined where a claim is missing */
export function legacySubject(
  claims: Readonly<Record<string, unknown>>,
): LegacyTokenSubject | undefined {
  const { namespace, account, accountUid, secret } = {
    namespace: claims[claimOf.namespace],
    account: claims[claimOf.account],
    accountUid: claims[claimOf.accountUid],
    secret: claims[claimOf.secret],
  };
  const whole =
    typeof namespace === 'string' &&
    typeof account === 'string' &&
    typeof accountUid === 'string' &&
    typeof secret === 'string';
  return whole ? { namespace, account, accountUid, secret } : undefined;
}

/** The token that a Secret holds. */
export const tokenOf = ({ data }: Secret): string =>
  Buffer.from(data?.['token'] ?? '', 'base64').toString();
