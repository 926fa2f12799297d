import type { Node } from '../../api/core/v1/node.ts';
import { hostPortsOf, takesReservedPort } from '../../api/core/v1/pod/host-ports.ts';
import type { Pod } from '../../api/core/v1/pod.ts';
import { reservedPortsOf } from '../../api/core/v1/reserved-ports.ts';
import { matchesNodeAffinity } from './affinity.ts';
import { affinityProblem, type Neighbours } from './inter-pod-affinity.ts';
import type { NodeUsage } from './node-usage.ts';
import { amountsOf, podRequests } from './pod-requests.ts';
import { taintsOf, tolerates } from '../taints.ts';

/** What a pod that does not fit waits for: a change of the node, or of the pods that are on it. */
export type Obstacle = 'node' | 'ports' | 'resources' | 'neighbours';

/** Why a pod cannot be on a node. */
export interface Rejection {
  /** In kube-scheduler's words. */
  readonly reasons: readonly string[];
  readonly obstacle: Obstacle;
  /** Whether the pod would not fit even if no other pod were on the node. */
  readonly unresolvable: boolean;
}

type Filter = (
  pod: Pod,
  node: Node,
  usage: NodeUsage,
  neighbours: Neighbours,
) => Rejection | undefined;

const unfitNode = (reason: string): Rejection => ({
  reasons: [reason],
  obstacle: 'node',
  unresolvable: true,
});

const nodeUnschedulable: Filter = (pod, { spec }) => {
  const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
  return spec?.unschedulable === true && !tolerates(pod, taint)
    ? unfitNode('node(s) were unschedulable')
    : undefined;
};

const taintToleration: Filter = (pod, node) => {
  const taint = taintsOf(node).find(
    each => each.effect !== 'PreferNoSchedule' && !tolerates(pod, each),
  );
  return taint && unfitNode(`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`);
};

const nodeAffinity: Filter = (pod, node) =>
  matchesNodeAffinity(pod, node)
    ? undefined
    : unfitNode("node(s) didn't match Pod's node affinity/selector");

const nodePorts: Filter = (pod, node, usage) => {
  const wanted = hostPortsOf(pod);
  if (wanted.length === 0) return undefined;
  const reserved = takesReservedPort(wanted, reservedPortsOf(node));
  if (!reserved && !wanted.some(usage.isTaken)) return undefined;
  return {
    reasons: ["node(s) didn't have free ports for the requested pod ports"],
    obstacle: reserved ? 'node' : 'ports',
    unresolvable: reserved,
  };
};

const nodeResources: Filter = (pod, node, usage) => {
  const allocatable = amountsOf(node.status?.allocatable);
  const reasons: string[] = [];
  let unresolvable = false;
  const maxPods = (allocatable.get('pods') ?? 0n) / 1_000_000_000n;
  if (BigInt(usage.pods.size) + 1n > maxPods) reasons.push('Too many pods');
  const requests = [...podRequests(pod)].filter(([, amount]) => amount > 0n);
  for (const [name, amount] of requests.toSorted(byResourceName)) {
    const total = allocatable.get(name) ?? 0n;
    if (amount <= total - (usage.requested.get(name) ?? 0n)) continue;
    reasons.push(`Insufficient ${name}`);
    unresolvable ||= amount > total;
  }
  return reasons.length === 0 ? undefined : { reasons, obstacle: 'resources', unresolvable };
};

const interPodAffinity: Filter = (pod, node, _usage, neighbours) => {
  const problem = affinityProblem(pod, node, neighbours);
  if (problem === undefined) return undefined;
  const unresolvable = problem === "node(s) didn't match pod affinity rules";
  return { reasons: [problem], obstacle: 'neighbours', unresolvable };
};

const byResourceName = ([a]: readonly [string, bigint], [b]: readonly [string, bigint]): number =>
  a < b ? -1 : 1;

/** In kube-scheduler's order: the first that rejects a node says why. */
const filters: readonly Filter[] = [
  nodeUnschedulable,
  taintToleration,
  nodeAffinity,
  nodePorts,
  nodeResources,
  interPodAffinity,
];

/** @param usage of the node, without the pod */
export function rejectionOf(
  pod: Pod,
  node: Node,
  usage: NodeUsage,
  neighbours: Neighbours,
): Rejection | undefined {
  for (const filter of filters) {
    const rejection = filter(pod, node, usage, neighbours);
    if (rejection !== undefined) return rejection;
  }
  return undefined;
}
