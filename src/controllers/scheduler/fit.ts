import { memberOf } from '../../machinery/member.ts';
import type { Node } from '../../api/core/v1/node.ts';
import {
  hostPortsConflict,
  hostPortsOf,
  takesReservedPort,
} from '../../api/core/v1/pod/host-ports.ts';
import type { Pod } from '../../api/core/v1/pod.ts';
import { reservedPortsOf } from '../../api/core/v1/reserved-ports.ts';

/**
 * Why a pod cannot be on a node, in kube-scheduler's words; undefined when it can.
 * @param others the pods that are on the node and have not ended
 */
export function rejectionReason(
  pod: Pod,
  node: Node,
  others: () => readonly Pod[],
): string | undefined {
  const ready = node.status?.conditions?.find(each => each.type === 'Ready')?.status === 'True';
  if (!ready) return 'node(s) were not ready';
  if (
    node.spec?.unschedulable === true &&
    !tolerates(pod, 'node.kubernetes.io/unschedulable', '', 'NoSchedule')
  ) {
    return 'node(s) were unschedulable';
  }
  const labels = node.metadata.labels ?? {};
  const selected = Object.entries(pod.spec.nodeSelector ?? {}).every(
    ([key, value]) => memberOf(labels, key) === value,
  );
  if (!selected) return "node(s) didn't match Pod's node affinity/selector";
  for (const { key, value = '', effect } of node.spec?.taints ?? []) {
    if (effect === 'PreferNoSchedule' || tolerates(pod, key, value, effect)) continue;
    return `node(s) had untolerated taint {${key}: ${value}}`;
  }
  return hasFreePorts(pod, node, others)
    ? undefined
    : "node(s) didn't have free ports for the requested pod ports";
}

function hasFreePorts(pod: Pod, node: Node, others: () => readonly Pod[]): boolean {
  const wanted = hostPortsOf(pod);
  if (wanted.length === 0) return true;
  if (takesReservedPort(wanted, reservedPortsOf(node))) return false;
  const taken = others().flatMap(hostPortsOf);
  return !wanted.some(each => taken.some(other => hostPortsConflict(each, other)));
}

const tolerates = (pod: Pod, key: string, value: string, effect: string): boolean =>
  (pod.spec.tolerations ?? []).some(
    each =>
      (!each.key || each.key === key) &&
      (!each.effect || each.effect === effect) &&
      (each.operator === 'Exists' || (each.value ?? '') === value),
  );
