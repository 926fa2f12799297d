import type { Node } from '../../api/core/v1/node.ts';
import { notReadyTaint, unreachableTaint, type Taint } from '../taints.ts';

/** Conditions besides Ready that keep pods off a node while they are True. */
const taintOfCondition = new Map([
  ['MemoryPressure', 'node.kubernetes.io/memory-pressure'],
  ['DiskPressure', 'node.kubernetes.io/disk-pressure'],
  ['PIDPressure', 'node.kubernetes.io/pid-pressure'],
  ['NetworkUnavailable', 'node.kubernetes.io/network-unavailable'],
]);
const unschedulableTaint = 'node.kubernetes.io/unschedulable';

const managedNoSchedule = new Set([
  notReadyTaint,
  unreachableTaint,
  unschedulableTaint,
  ...taintOfCondition.values(),
]);
const managedNoExecute = new Set([notReadyTaint, unreachableTaint]);

const isManaged = ({ key, effect }: Taint): boolean =>
  (effect === 'NoSchedule' && managedNoSchedule.has(key)) ||
  (effect === 'NoExecute' && managedNoExecute.has(key));

/**
 * The taints that a node should have: those of its users, and those of its conditions.
 * @param evicts whether pods are evicted from nodes that are not ready
 * @returns undefined where it has them
 */
export function wantedTaints(
  { spec, status }: Node,
  { evicts, now }: { readonly evicts: boolean; readonly now: string },
): Taint[] | undefined {
  const taints = spec?.taints ?? [];
  const conditions = status?.conditions ?? [];
  const wanted: Taint[] = [];
  const ready = conditions.find(({ type }) => type === 'Ready')?.status;
  if (ready !== 'True') {
    const key = ready === 'Unknown' ? unreachableTaint : notReadyTaint;
    wanted.push({ key, effect: 'NoSchedule' });
    // A node that has not reported yet is only starting.
    if (evicts && ready !== undefined) wanted.push({ key, effect: 'NoExecute' });
  }
  for (const { type, status: value } of conditions) {
    const key = taintOfCondition.get(type);
    if (key !== undefined && value === 'True') wanted.push({ key, effect: 'NoSchedule' });
  }
  if (spec?.unschedulable === true) wanted.push({ key: unschedulableTaint, effect: 'NoSchedule' });

  const same = (a: Taint, b: Taint): boolean => a.key === b.key && a.effect === b.effect;
  const managed = taints.filter(isManaged);
  const hasAll = wanted.every(each => managed.some(has => same(has, each)));
  if (hasAll && managed.length === wanted.length) return undefined;
  return [
    ...taints.filter(each => !isManaged(each)),
    ...wanted.map(each => managed.find(has => same(has, each)) ?? { ...each, timeAdded: now }),
  ];
}
