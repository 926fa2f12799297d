import type { Node } from '../../api/core/v1/node.ts';
import type { Pod } from '../../api/core/v1/pod.ts';
import { memberOf } from '../../machinery/member.ts';
import { podAffinityTerms, podAntiAffinityTerms, type PodAffinityTerm } from './affinity.ts';

/** A pod and the labels of its node. */
export interface Neighbour {
  readonly pod: Pod;
  readonly nodeLabels: Readonly<Record<string, string>>;
}

/** The pods that are placed, for the rules about neighbours. */
export interface Neighbours {
  all(): Iterable<Neighbour>;
  /** Those that want to keep others away. */
  withAntiAffinity(): Iterable<Neighbour>;
}

export type AffinityProblem =
  | "node(s) didn't match pod affinity rules"
  | "node(s) didn't match pod anti-affinity rules"
  | "node(s) didn't satisfy existing pods anti-affinity rules";

/** kube-scheduler's plugin InterPodAffinity, its required rules. */
export function affinityProblem(
  pod: Pod,
  node: Node,
  neighbours: Neighbours,
): AffinityProblem | undefined {
  const labels = node.metadata.labels ?? {};
  const isNear = ({ topologyKey }: PodAffinityTerm, { nodeLabels }: Neighbour): boolean => {
    const domain = memberOf(labels, topologyKey);
    return domain !== undefined && domain === memberOf(nodeLabels, topologyKey);
  };
  const wanted = podAffinityTerms(pod);
  if (wanted.length > 0 && !isAttracted(pod, labels, wanted, neighbours, isNear))
    return "node(s) didn't match pod affinity rules";
  const unwanted = podAntiAffinityTerms(pod).filter(
    ({ topologyKey }) => memberOf(labels, topologyKey) !== undefined,
  );
  if (unwanted.length > 0) {
    for (const each of neighbours.all())
      if (unwanted.some(term => isNear(term, each) && term.isAbout(each.pod)))
        return "node(s) didn't match pod anti-affinity rules";
  }
  for (const each of neighbours.withAntiAffinity()) {
    const terms = podAntiAffinityTerms(each.pod);
    if (terms.some(term => isNear(term, each) && term.isAbout(pod)))
      return "node(s) didn't satisfy existing pods anti-affinity rules";
  }
  return undefined;
}

function isAttracted(
  pod: Pod,
  labels: Readonly<Record<string, string>>,
  terms: readonly PodAffinityTerm[],
  neighbours: Neighbours,
  isNear: (term: PodAffinityTerm, neighbour: Neighbour) => boolean,
): boolean {
  if (terms.some(({ topologyKey }) => memberOf(labels, topologyKey) === undefined)) return false;
  const missing = new Set(terms);
  let isFirst = true;
  for (const each of neighbours.all()) {
    if (!terms.every(term => term.isAbout(each.pod))) continue;
    isFirst = false;
    for (const term of missing) if (isNear(term, each)) missing.delete(term);
    if (missing.size === 0) return true;
  }
  // The first of a group that wants to be together has nobody to join.
  return isFirst && terms.every(term => term.isAbout(pod));
}
