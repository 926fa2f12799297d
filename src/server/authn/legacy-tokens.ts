import {
  invalidSinceLabel,
  lastUsedLabel,
  legacySubject,
  tokenOf,
} from '../../api/core/v1/token-secret.ts';
import type { Secret } from '../../api/core/v1/secret.ts';
import { unauthorized } from '../../machinery/status.ts';
import type { ObjectStore } from '../registry/object-store.ts';
import { serviceAccountUser, type UserInfo } from './authenticator.ts';
import type { ObjectLookup } from './object-lookup.ts';

/** Whose a token is that a Secret holds. Its signature was checked. @throws StatusError Unauthorized */
export type LegacyTokens = (
  token: string,
  claims: Readonly<Record<string, unknown>>,
) => Promise<UserInfo>;

export function createLegacyTokens({
  lookup,
  secrets,
}: {
  readonly lookup: ObjectLookup;
  readonly secrets: Pick<ObjectStore<Secret>, 'update'>;
}): LegacyTokens {
  /** A write a day and token; the request does not wait for it. */
  const noteUse = ({ metadata }: Secret): void => {
    const today = new Date().toISOString().slice(0, 10);
    if (metadata.labels?.[lastUsedLabel] === today) return;
    secrets
      .update(metadata.namespace ?? '', metadata.name ?? '', secret => {
        secret.metadata.labels = { ...secret.metadata.labels, [lastUsedLabel]: today };
        return secret;
      })
      // It tells when the token was used, no more: the next use tries again.
      .catch(() => undefined);
  };
  return async (token, claims) => {
    const subject = legacySubject(claims);
    if (subject === undefined) throw unauthorized();
    const { namespace, account, accountUid } = subject;
    const secret: Secret | undefined = await lookup('Secret', namespace, subject.secret);
    if (secret === undefined || tokenOf(secret) !== token) throw unauthorized();
    if (secret.metadata.deletionTimestamp !== undefined) throw unauthorized();
    const owner = await lookup('ServiceAccount', namespace, account);
    if (owner?.metadata.uid !== accountUid) throw unauthorized();
    // Without the leeway that bound tokens have, as in Kubernetes.
    if (owner.metadata.deletionTimestamp !== undefined) throw unauthorized();
    noteUse(secret);
    if (secret.metadata.labels?.[invalidSinceLabel] !== undefined) throw unauthorized();
    return serviceAccountUser({ namespace, name: account, uid: accountUid });
  };
}
