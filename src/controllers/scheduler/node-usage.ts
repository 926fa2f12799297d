import {
  createHostPorts,
  hostPortsOf,
  type HostPort,
  type HostPorts,
} from '../../api/core/v1/pod/host-ports.ts';
import type { Pod } from '../../api/core/v1/pod.ts';
import { podAntiAffinityTerms } from './affinity.ts';
import { add, podRequests, type ResourceAmounts } from './pod-requests.ts';

/** What the pods of a node take of it. */
export interface NodeUsage {
  readonly pods: ReadonlyMap<string, Pod>;
  readonly requested: ResourceAmounts;
  isTaken(wanted: HostPort): boolean;
}

export interface Placement {
  readonly pod: Pod;
  readonly node: string;
}

/** The usage of all nodes, kept up to date pod by pod. */
export interface UsageByNode {
  of(node: string): NodeUsage;
  nodeOf(pod: Pod): string | undefined;
  /** All pods that are placed, with the names of their nodes. */
  placed(): Iterable<Placement>;
  /** Those of them that have rules of anti-affinity. */
  placedWithAntiAffinity(): Iterable<Placement>;
  /** Puts a pod on a node, or replaces it there. */
  place(pod: Pod, node: string): void;
  /** @returns the node that the pod was on */
  remove(pod: Pod): string | undefined;
}

interface Usage extends NodeUsage {
  readonly pods: Map<string, Pod>;
  readonly requested: Map<string, bigint>;
  readonly ports: HostPorts;
}

export function createUsageByNode(): UsageByNode {
  const nodes = new Map<string, Usage>();
  const placements = new Map<string, Placement>();
  const withAntiAffinity = new Map<string, Placement>();

  const remove = (pod: Pod): string | undefined => {
    const uid = uidOf(pod);
    const node = placements.get(uid)?.node;
    const usage = nodes.get(node ?? '');
    const placed = usage?.pods.get(uid);
    if (node === undefined || usage === undefined || placed === undefined) return undefined;
    placements.delete(uid);
    withAntiAffinity.delete(uid);
    usage.pods.delete(uid);
    add(usage.requested, podRequests(placed), -1n);
    for (const port of hostPortsOf(placed)) usage.ports.remove(port);
    if (usage.pods.size === 0) nodes.delete(node);
    return node;
  };
  return {
    of: node => nodes.get(node) ?? emptyUsage(),
    nodeOf: pod => placements.get(uidOf(pod))?.node,
    placed: () => placements.values(),
    placedWithAntiAffinity: () => withAntiAffinity.values(),
    place(pod, node) {
      remove(pod);
      const usage = nodes.get(node) ?? emptyUsage();
      nodes.set(node, usage);
      placements.set(uidOf(pod), { pod, node });
      if (podAntiAffinityTerms(pod).length > 0) withAntiAffinity.set(uidOf(pod), { pod, node });
      usage.pods.set(uidOf(pod), pod);
      add(usage.requested, podRequests(pod));
      for (const port of hostPortsOf(pod)) usage.ports.add(port);
    },
    remove,
  };
}

function emptyUsage(): Usage {
  const ports = createHostPorts();
  return { pods: new Map(), requested: new Map(), ports, isTaken: ports.isTaken };
}

export const uidOf = ({ metadata }: Pod): string => metadata.uid ?? '';
