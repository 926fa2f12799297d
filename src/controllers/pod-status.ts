import type { KubeClient } from '../client/client.ts';
import { podResource, type Pod } from '../api/core/v1/pod.ts';
import { timestamp } from '../machinery/timestamp.ts';

type Status = NonNullable<Pod['status']>;
type Condition = NonNullable<Status['conditions']>[number];

/** Patches the status of a pod, of this very pod: another of the same name is left alone. */
export async function patchPodStatus(
  client: KubeClient,
  { metadata: { namespace = '', name = '', uid } }: Pod,
  status: Partial<Status>,
): Promise<void> {
  await client
    .metadata(podResource)
    .patch(namespace, name, 'strategic', { metadata: { uid }, status }, { subresource: 'status' });
}

/** A condition as it is set now: it keeps its time where its status stays. */
export function podCondition(
  { status }: Pod,
  condition: Omit<Condition, 'lastTransitionTime'>,
): Condition {
  const old = status?.conditions?.find(({ type }) => type === condition.type);
  const since = old?.status === condition.status ? old.lastTransitionTime : undefined;
  return { ...condition, lastTransitionTime: since ?? timestamp() };
}

export const hasEnded = ({ status }: Pod): boolean =>
  status?.phase === 'Succeeded' || status?.phase === 'Failed';
