import type { TokenRequest } from '../../api/authentication.k8s.io/v1/reviews.ts';
import type { Pod } from '../../api/core/v1/pod.ts';
import type { VolumeProjection } from '../../api/core/v1/pod/volume-schema.ts';
import { serviceAccountResource } from '../../api/core/v1/service-account.ts';
import type { KubeClient } from '../../client/client.ts';
import type { Logger } from '../../machinery/log.ts';

export interface ProjectedToken {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly refreshAtMs: number;
}

/** The tokens of pods, bound to them: asked for once, and anew when most of their life is over. */
export interface ServiceAccountTokens {
  /** @throws Error `failed to fetch token: …` where there is no token that still holds */
  get(pod: Pod, projection: TokenProjection): Promise<ProjectedToken>;
  forget(podUid: string): void;
}

export type TokenProjection = NonNullable<VolumeProjection['serviceAccountToken']>;

interface Kept extends ProjectedToken {
  readonly askedAtMs: number;
  readonly expiresAtMs: number;
}

const dayMs = 24 * 3_600_000;
const retryMs = 10_000;
/** With which the API verifies tokens. */
const toleranceMs = 60_000;

export function createServiceAccountTokens({
  client,
  log,
  nowMs = Date.now,
}: {
  readonly client: KubeClient;
  readonly log: Logger;
  readonly nowMs?: () => number;
}): ServiceAccountTokens {
  const kept = new Map<string, Map<string, Kept>>();

  const request = async (
    { metadata, spec }: Pod,
    { audience, expirationSeconds = 3600 }: TokenProjection,
  ): Promise<Kept> => {
    const { namespace = '', name = '', uid = '' } = metadata;
    const askedAtMs = nowMs();
    const { status } = await client
      .resource(serviceAccountResource)
      .createSubresource<TokenRequest>(namespace, spec.serviceAccountName ?? 'default', 'token', {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        metadata: {},
        spec: {
          ...(audience ? { audiences: [audience] } : {}),
          expirationSeconds,
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
        },
      });
    if (status === undefined) throw new Error('the answer holds no token');
    const expiresAtMs = Date.parse(status.expirationTimestamp);
    const lifeMs = Math.min((expiresAtMs - askedAtMs) * 0.8, dayMs);
    return { token: status.token, askedAtMs, expiresAtMs, refreshAtMs: askedAtMs + lifeMs };
  };

  return {
    async get(pod, projection) {
      const uid = pod.metadata.uid ?? '';
      const key = JSON.stringify([projection.audience, projection.expirationSeconds]);
      const known = kept.get(uid)?.get(key);
      // By a clock that was set back it is not valid yet.
      const isCurrent = (token: Kept): boolean =>
        token.askedAtMs - toleranceMs <= nowMs() && nowMs() < token.refreshAtMs;
      if (known !== undefined && isCurrent(known)) return known;
      try {
        const token = await request(pod, projection);
        kept.set(uid, (kept.get(uid) ?? new Map<string, Kept>()).set(key, token));
        return token;
      } catch (error) {
        const { message } = error as Error;
        if (known === undefined || nowMs() >= known.expiresAtMs) {
          throw new Error(`failed to fetch token: ${message}`, { cause: error });
        }
        const { namespace, name } = pod.metadata;
        log.warn('A token could not be renewed yet', { namespace, pod: name, error: message });
        return { ...known, refreshAtMs: nowMs() + retryMs };
      }
    },
    forget: uid => void kept.delete(uid),
  };
}
