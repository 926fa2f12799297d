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

const isPodAffinityTerm = (value: unknown): value is PodAffinityTerm =>
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

const termsOf = (pod: Pod, kind: AffinityKind): readonly PodAffinityTerm[] => {
  const terms = requiredRules(pod, kind);
  return isListOf(isPodAffinityTerm)(terms) ? terms : [];
};

export const podAffinityTerms = (pod: Pod): readonly PodAffinityTerm[] =>
  termsOf(pod, 'podAffinity');

export const podAntiAffinityTerms = (pod: Pod): readonly PodAffinityTerm[] =>
  termsOf(pod, 'podAntiAffinity');

/** Whether a term of `owner` is about the other pod. */
export function isAbout(term: PodAffinityTerm, owner: Pod, other: Pod): boolean {
  const { labelSelector, namespaces = [], namespaceSelector } = term;
  // No selector selects no pods; an empty one all.
  if (labelSelector === undefined) return false;
  const { namespace = '' } = other.metadata;
  const own = namespaces.length === 0 && namespaceSelector === undefined;
  const inScope =
    (own && namespace === owner.metadata.namespace) ||
    namespaces.includes(namespace) ||
    namespaceSelector !== undefined;
  return inScope && labelSelectorMatcher(labelSelector)(other.metadata.labels ?? {});
}
