import { createPrivateKey, createPublicKey, randomUUID } from 'node:crypto';
import type { JWTPayload } from 'jose';
import { legacyIssuer } from '../../api/core/v1/token-secret.ts';
import { keyIdOf } from '../../machinery/key-id.ts';
import { unauthorized } from '../../machinery/status.ts';
import { isLongDeleted } from './deleted-object.ts';
import { serviceAccountUser, type Authenticator, type UserInfo } from './authenticator.ts';
import type { LegacyTokens } from './legacy-tokens.ts';
import type { ObjectLookup } from './object-lookup.ts';

export const tokenIssuer = 'https://kubernetes.default.svc.cluster.local';

/** go-jose's default, with which Kubernetes verifies service-account tokens. */
const clockToleranceSeconds = 60;

export interface TokenSubject {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
  /** Seconds after which the token should have been renewed, though it is still good. */
  readonly warnAfterSeconds?: number;
  /** The token is good only while this lives. */
  readonly boundTo?: {
    readonly kind: 'Pod' | 'Secret' | 'Node';
    readonly name: string;
    readonly uid: string;
  };
  /** Where the pod runs that the token is bound to: told, not checked. */
  readonly node?: { readonly name: string; readonly uid: string };
}

interface KubernetesClaim {
  namespace: string;
  serviceaccount: { name: string; uid: string };
  pod?: { name: string; uid: string };
  secret?: { name: string; uid: string };
  node?: { name: string; uid: string };
  warnafter?: number;
}

export interface ServiceAccountTokens {
  /** @returns a JWT and when it ends, in milliseconds since the epoch */
  sign(subject: TokenSubject): Promise<{ token: string; expiresAtMs: number }>;
  /** The token's user, if it is good for one of `audiences`. @throws StatusError Unauthorized */
  verify(
    token: string,
    audiences: readonly string[],
  ): Promise<{ user: UserInfo; audiences: string[] }>;
  readonly authenticator: Authenticator;
}

export interface ServiceAccountTokensOptions {
  /** PKCS #8 PEM, P-256. */
  readonly privateKey: string;
  readonly lookup: ObjectLookup;
  readonly legacy: LegacyTokens;
  /** Milliseconds since the epoch. @default Date.now */
  readonly now?: () => number;
}

export function createServiceAccountTokens({
  privateKey,
  lookup,
  legacy,
  now = Date.now,
}: ServiceAccountTokensOptions): ServiceAccountTokens {
  const signingKey = createPrivateKey(privateKey);
  const publicKey = createPublicKey(signingKey);
  const kid = keyIdOf(publicKey);

  const verify: ServiceAccountTokens['verify'] = async (token, audiences) => {
    const { jwtVerify } = await import('jose');
    const { payload } = await jwtVerify(token, publicKey, {
      issuer: [tokenIssuer, legacyIssuer],
      algorithms: ['ES256'],
      clockTolerance: clockToleranceSeconds,
      currentDate: new Date(now()),
    }).catch(() => {
      throw unauthorized();
    });
    // A legacy token has no audience of its own: it is for the API.
    const isLegacy = payload.iss === legacyIssuer;
    const held = isLegacy ? [tokenIssuer] : [payload.aud ?? []].flat();
    const shared = audiences.filter(each => held.includes(each));
    if (shared.length === 0) throw unauthorized();
    if (isLegacy) return { user: await legacy(token, payload), audiences: shared };
    const claim = claimOf(payload);
    await mustLive(claim, lookup, now());
    return { user: userOf(claim, payload.jti), audiences: shared };
  };

  return {
    async sign(subject) {
      const { SignJWT } = await import('jose');
      const seconds = Math.floor(now() / 1000);
      const expires = seconds + subject.expirationSeconds;
      const claim: KubernetesClaim = {
        namespace: subject.namespace,
        serviceaccount: { name: subject.name, uid: subject.uid },
      };
      if (subject.boundTo !== undefined) {
        const { kind, name, uid } = subject.boundTo;
        claim[kind.toLowerCase() as 'pod' | 'secret' | 'node'] = { name, uid };
      }
      if (subject.node !== undefined) claim.node = { ...subject.node };
      if (subject.warnAfterSeconds !== undefined)
        claim.warnafter = seconds + subject.warnAfterSeconds;
      const token = await new SignJWT({ 'kubernetes.io': claim })
        .setProtectedHeader({ alg: 'ES256', kid })
        .setIssuer(tokenIssuer)
        .setSubject(`system:serviceaccount:${subject.namespace}:${subject.name}`)
        .setAudience(subject.audiences.length === 0 ? [tokenIssuer] : [...subject.audiences])
        .setIssuedAt(seconds)
        .setNotBefore(seconds)
        .setExpirationTime(expires)
        .setJti(randomUUID())
        .sign(signingKey);
      return { token, expiresAtMs: expires * 1000 };
    },
    verify,
    authenticator: async ({ token }) =>
      token === undefined ? undefined : (await verify(token, [tokenIssuer])).user,
  };
}

function claimOf(payload: JWTPayload): KubernetesClaim {
  const claim = payload['kubernetes.io'] as KubernetesClaim | undefined;
  if (claim?.serviceaccount?.name === undefined) throw unauthorized();
  return claim;
}

async function mustLive(
  claim: KubernetesClaim,
  lookup: ObjectLookup,
  nowMs: number,
): Promise<void> {
  const { namespace } = claim;
  const things = [
    ['ServiceAccount', claim.serviceaccount],
    ['Pod', claim.pod],
    ['Secret', claim.secret],
    // A pod's token only tells its node.
    ['Node', claim.pod === undefined ? claim.node : undefined],
  ] as const;
  for (const [kind, thing] of things) {
    if (thing === undefined) continue;
    const found = await lookup(kind, kind === 'Node' ? '' : namespace, thing.name);
    if (found?.metadata.uid !== thing.uid || isLongDeleted(found, nowMs)) throw unauthorized();
  }
}

function userOf(
  { namespace, serviceaccount, pod, node }: KubernetesClaim,
  id: string | undefined,
): UserInfo {
  const prefix = 'authentication.kubernetes.io/';
  return {
    ...serviceAccountUser({ namespace, ...serviceaccount }),
    extra: {
      ...(id === undefined ? {} : { [`${prefix}credential-id`]: [`JTI=${id}`] }),
      ...(pod === undefined
        ? {}
        : { [`${prefix}pod-name`]: [pod.name], [`${prefix}pod-uid`]: [pod.uid] }),
      ...(node === undefined
        ? {}
        : { [`${prefix}node-name`]: [node.name], [`${prefix}node-uid`]: [node.uid] }),
    },
  };
}
