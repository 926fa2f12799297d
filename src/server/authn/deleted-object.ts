import type { KubeObject } from '../../machinery/meta.ts';
import { conflict } from '../../machinery/status.ts';

/** As Kubernetes' validator of bound tokens has it (jwt.DefaultLeeway). */
const leewayMs = 60_000;

/**
 * Whether the deletion of an object began so long ago that tokens no longer hold for it, even if a
 * finalizer keeps it. The deletionTimestamp of a pod is when its grace period ends.
 */
export function isLongDeleted({ metadata }: Pick<KubeObject, 'metadata'>, nowMs: number): boolean {
  const { deletionTimestamp } = metadata;
  return deletionTimestamp !== undefined && Date.parse(deletionTimestamp) < nowMs - leewayMs;
}

/** A new token for such an object would never be accepted. @throws StatusError Conflict */
export function mustNotBeDeleted(
  object: Pick<KubeObject, 'metadata'>,
  kind: string,
  nowMs: number,
): void {
  if (!isLongDeleted(object, nowMs)) return;
  throw conflict(
    { group: '', plural: kind },
    object.metadata.name ?? '',
    'the object is being deleted, no tokens are issued for it',
  );
}
