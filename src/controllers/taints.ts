import type { Node } from '../api/core/v1/node.ts';
import type { Pod } from '../api/core/v1/pod.ts';

type Toleration = NonNullable<Pod['spec']['tolerations']>[number];
export type Taint = NonNullable<NonNullable<Node['spec']>['taints']>[number];

export const notReadyTaint = 'node.kubernetes.io/not-ready';
export const unreachableTaint = 'node.kubernetes.io/unreachable';

/** The taints of a node, and the one that its readiness is about to give it (TaintNodesByCondition). */
export function taintsOf({ spec, status }: Node): readonly Taint[] {
  const taints = spec?.taints ?? [];
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status === 'True') return taints;
  const key = ready?.status === 'Unknown' ? unreachableTaint : notReadyTaint;
  return taints.some(each => each.key === key)
    ? taints
    : [...taints, { key, effect: 'NoSchedule' }];
}

export const tolerates = ({ spec }: Pick<Pod, 'spec'>, taint: Taint): boolean =>
  (spec.tolerations ?? []).some(each => toleratesTaint(each, taint));

export const toleratesTaint = (
  toleration: Toleration,
  { key, value = '', effect }: Taint,
): boolean =>
  (!toleration.key || toleration.key === key) &&
  (!toleration.effect || toleration.effect === effect) &&
  (toleration.operator === 'Exists' || (toleration.value ?? '') === value);
