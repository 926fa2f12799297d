import type { Node } from '../../api/core/v1/node.ts';
import type { Pod } from '../../api/core/v1/pod.ts';
import { memberOf } from '../../machinery/member.ts';
import {
  labelSelectorMatcher,
  type LabelSelectorObject,
} from '../../machinery/selectors/label-selector.ts';

interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

interface NodeSelectorTerm {
  readonly matchExpressions?: readonly Requirement[];
  readonly matchFields?: readonly Requirement[];
}

/** A required rule about the neighbours of a pod. */
export interface PodAffinityTerm {
  readonly topologyKey: string;
  /** Whether it is about that pod. */
  isAbout(other: Pod): boolean;
}

/** The rule as it is written. */
interface WrittenTerm {
  readonly labelSelector?: LabelSelectorObject;
  readonly namespaces?: readonly string[];
  /** Of namespaces; an empty one selects all. Their labels are not known here. */
  readonly namespaceSelector?: LabelSelectorObject;
  readonly topologyKey: string;
}

type AffinityKind = 'nodeAffinity' | 'podAffinity' | 'podAntiAffinity';

/** What a pod requires; the API keeps `spec.affinity` as it was written, so that nothing is sure of it. */
function requiredRules({ spec }: Pod, kind: AffinityKind): unknown {
  const rules = isObject(spec.affinity) ? spec.affinity[kind] : undefined;
  return isObject(rules) ? rules['requiredDuringSchedulingIgnoredDuringExecution'] : undefined;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string';
const isListOf =
  <T>(isElement: (value: unknown) => value is T) =>
  (value: unknown): value is T[] =>
    Array.isArray(value) && value.every(isElement);
const isAbsentOr = (value: unknown, is: (value: unknown) => boolean): boolean =>
  value === undefined || is(value);

const isRequirement = (value: unknown): value is Requirement =>
  isObject(value) &&
  isText(value['key']) &&
  isText(value['operator']) &&
  isAbsentOr(value['values'], isListOf(isText));

const isNodeSelectorTerm = (value: unknown): value is NodeSelectorTerm =>
  isObject(value) &&
  isAbsentOr(value['matchExpressions'], isListOf(isRequirement)) &&
  isAbsentOr(value['matchFields'], isListOf(isRequirement));

const isLabelSelector = (value: unknown): boolean =>
  isObject(value) &&
  isAbsentOr(
    value['matchLabels'],
    labels => isObject(labels) && Object.values(labels).every(isText),
  ) &&
  isAbsentOr(value['matchExpressions'], isListOf(isRequirement));

const isWrittenTerm = (value: unknown): value is WrittenTerm =>
  isObject(value) &&
  isText(value['topologyKey']) &&
  isAbsentOr(value['labelSelector'], isLabelSelector) &&
  isAbsentOr(value['namespaceSelector'], isLabelSelector) &&
  isAbsentOr(value['namespaces'], isListOf(isText));

/** Whether the labels and the name of a node are what the pod requires. */
export function matchesNodeAffinity(pod: Pod, { metadata }: Node): boolean {
  const labels = metadata.labels ?? {};
  const selected = Object.entries(pod.spec.nodeSelector ?? {}).every(
    ([key, value]) => memberOf(labels, key) === value,
  );
  const required = requiredRules(pod, 'nodeAffinity');
  if (!selected || required === undefined) return selected;
  const terms = isObject(required) ? required['nodeSelectorTerms'] : undefined;
  if (!isListOf(isNodeSelectorTerm)(terms)) return false;
  const fields = { 'metadata.name': metadata.name ?? '' };
  return terms.some(
    ({ matchExpressions = [], matchFields = [] }) =>
      // A term without any requirement matches no node.
      matchExpressions.length + matchFields.length > 0 &&
      matchExpressions.every(each => holds(each, labels)) &&
      matchFields.every(each => holds(each, fields)),
  );
}

function holds(
  { key, operator, values = [] }: Requirement,
  labels: Readonly<Record<string, string>>,
): boolean {
  const value = memberOf(labels, key);
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
    case 'Lt':
      return value !== undefined && isBeyond(operator, value, values[0]);
    default:
      return false;
  }
}

function isBeyond(operator: 'Gt' | 'Lt', value: string, limit = ''): boolean {
  if (![value, limit].every(each => /^[+-]?\d+$/.test(each))) return false;
  const difference = BigInt(value) - BigInt(limit);
  return operator === 'Gt' ? difference > 0n : difference < 0n;
}

type PodAffinityKind = Exclude<AffinityKind, 'nodeAffinity'>;

/** Read once for each state of a pod: they are asked of each of its neighbours. */
const knownTerms: Record<PodAffinityKind, WeakMap<Pod, readonly PodAffinityTerm[]>> = {
  podAffinity: new WeakMap(),
  podAntiAffinity: new WeakMap(),
};

function termsOf(pod: Pod, kind: PodAffinityKind): readonly PodAffinityTerm[] {
  let terms = knownTerms[kind].get(pod);
  if (terms === undefined) {
    const written = requiredRules(pod, kind);
    // Rules that are written twice need not be asked twice.
    const distinct = isListOf(isWrittenTerm)(written)
      ? new Map(written.map(each => [JSON.stringify(each), each])).values()
      : [];
    terms = Array.from(distinct, each => readTerm(each, pod));
    knownTerms[kind].set(pod, terms);
  }
  return terms;
}

export const podAffinityTerms = (pod: Pod): readonly PodAffinityTerm[] =>
  termsOf(pod, 'podAffinity');

export const podAntiAffinityTerms = (pod: Pod): readonly PodAffinityTerm[] =>
  termsOf(pod, 'podAntiAffinity');

function readTerm(written: WrittenTerm, owner: Pod): PodAffinityTerm {
  const { topologyKey, labelSelector, namespaces = [], namespaceSelector } = written;
  // No selector selects no pods; an empty one all.
  if (labelSelector === undefined) return { topologyKey, isAbout: () => false };
  const matches = labelSelectorMatcher(labelSelector);
  const own =
    namespaces.length === 0 && namespaceSelector === undefined
      ? [owner.metadata.namespace ?? '']
      : namespaces;
  const inScope = new Set(own);
  return {
    topologyKey,
    isAbout: ({ metadata: { namespace = '', labels = {} } }) =>
      (namespaceSelector !== undefined || inScope.has(namespace)) && matches(labels),
  };
}
