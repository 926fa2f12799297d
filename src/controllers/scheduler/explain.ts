import type { Pod } from '../../api/core/v1/pod.ts';
import type { Rejection } from './fit.ts';

/** Why no node was found for a pod, as kube-scheduler's FitError and its preemption say it. */
export function unschedulableMessage(pod: Pod, rejections: readonly Rejection[]): string {
  if (rejections.length === 0) return 'no nodes available to schedule pods';
  const reasons = rejections.flatMap(each => each.reasons);
  return `${nodesMessage(rejections.length, reasons)} preemption: ${preemptionMessage(pod, rejections)}`;
}

/** Pods have no priorities here, so that preemption never finds a victim. */
function preemptionMessage({ spec }: Pod, rejections: readonly Rejection[]): string {
  if (spec.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.';
  const reasons = rejections.map(({ unresolvable }) =>
    unresolvable
      ? 'Preemption is not helpful for scheduling'
      : 'No preemption victims found for incoming pod',
  );
  return nodesMessage(rejections.length, reasons);
}

/** How many reasons a message names. */
const maxReasons = 100;

function nodesMessage(nodes: number, reasons: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const histogram = [...counts].map(([reason, count]) => `${count} ${reason}`).toSorted();
  const more = histogram.splice(maxReasons).length;
  if (more > 0) histogram.push(`... and ${more} more`);
  return `0/${nodes} nodes are available: ${histogram.join(', ')}.`;
}
