import type { PolicyRule } from '../../../api/rbac.authorization.k8s.io/v1/policy-rule.ts';

export interface Uncovered {
  /** One verb on one thing each, in the order in which the rules name them. */
  readonly parts: readonly PolicyRule[];
  /** Whether these are all. */
  readonly complete: boolean;
}

/** Comparisons of one value with one rule. */
const maxComparisons = 2_000_000;

/**
 * The smallest parts of `wanted` that no rule of `held` covers. Kubernetes makes every part and compares it
 * with every rule: a small role of long lists has millions. Here values that the same rules cover are
 * compared once. What would take too many comparisons counts as not covered.
 * @param maxParts after which no more are looked for
 */
export function uncovered(
  held: readonly PolicyRule[],
  wanted: readonly PolicyRule[],
  maxParts = Infinity,
): Uncovered {
  const search: Search = { parts: [], maxParts, comparisons: maxComparisons };
  const compiled = held.map(compile);
  for (const rule of wanted) {
    for (const dimensions of [resourceDimensions(rule), pathDimensions(rule)]) {
      if (!lookFor(dimensions, compiled, search)) return { parts: search.parts, complete: false };
    }
  }
  return { parts: search.parts, complete: search.comparisons > 0 };
}

interface Search {
  readonly parts: PolicyRule[];
  readonly maxParts: number;
  /** How many are left. */
  comparisons: number;
}

/** A rule that is held, arranged for look-ups. */
interface HeldRule {
  readonly id: number;
  verb(verb: string): boolean;
  group(group: string): boolean;
  resource(resource: string): boolean;
  /** @param name undefined for all */
  name(name: string | undefined): boolean;
  path(path: string): boolean;
}

function compile(rule: PolicyRule, id: number): HeldRule {
  const verbs = new Set(rule.verbs ?? []);
  const groups = new Set(rule.apiGroups);
  const resources = new Set(rule.resources);
  const names = new Set(rule.resourceNames);
  const paths = new Set(rule.nonResourceURLs);
  const prefixes = [...paths].filter(each => each.endsWith('*')).map(withoutStarsAtEnd);
  return {
    id,
    verb: each => verbs.has('*') || verbs.has(each),
    group: each => groups.has('*') || groups.has(each),
    resource(each) {
      if (resources.has('*') || resources.has(each)) return true;
      const slash = each.indexOf('/');
      return slash >= 0 && resources.has(`*${each.slice(slash)}`);
    },
    // Names know no wildcard.
    name: each => names.size === 0 || (each !== undefined && names.has(each)),
    path: each => paths.has(each) || prefixes.some(prefix => each.startsWith(prefix)),
  };
}

/** A pattern such as `/healthz/*` without its end. */
export function withoutStarsAtEnd(pattern: string): string {
  let end = pattern.length;
  while (pattern[end - 1] === '*') end -= 1;
  return pattern.slice(0, end);
}

/** One list of a rule: a part has one value of each. */
interface Dimension {
  readonly values: readonly (string | undefined)[];
  covers(rule: HeldRule, value: string | undefined): boolean;
  /** What a part says of its value. */
  field(value: string | undefined): Partial<PolicyRule>;
}

const dimension = (
  values: readonly string[],
  covers: (rule: HeldRule, value: string) => boolean,
  field: (value: string) => Partial<PolicyRule>,
): Dimension => ({
  values,
  covers: (rule, value = '') => covers(rule, value),
  field: (value = '') => field(value),
});

const verbsOf = (wanted: PolicyRule): Dimension =>
  dimension(
    wanted.verbs ?? [],
    (rule, verb) => rule.verb(verb),
    verb => ({ verbs: [verb] }),
  );

const resourceDimensions = (rule: PolicyRule): Dimension[] => [
  dimension(
    rule.apiGroups ?? [],
    (held, group) => held.group(group),
    group => ({ apiGroups: [group] }),
  ),
  dimension(
    rule.resources ?? [],
    (held, resource) => held.resource(resource),
    resource => ({ resources: [resource] }),
  ),
  verbsOf(rule),
  {
    values: (rule.resourceNames ?? []).length === 0 ? [undefined] : (rule.resourceNames ?? []),
    covers: (held, name) => held.name(name),
    field: name => (name === undefined ? {} : { resourceNames: [name] }),
  },
];

const pathDimensions = (rule: PolicyRule): Dimension[] => [
  dimension(
    rule.nonResourceURLs ?? [],
    (held, path) => held.path(path),
    path => ({ nonResourceURLs: [path] }),
  ),
  verbsOf(rule),
  // A rule for certain names covers no path.
  { values: [undefined], covers: held => held.name(undefined), field: () => ({}) },
];

/** @returns whether all parts were looked at */
function lookFor(
  dimensions: readonly Dimension[],
  held: readonly HeldRule[],
  search: Search,
): boolean {
  if (dimensions.some(({ values }) => values.length === 0)) return true;
  /** By dimension and rules: whether what is left of the dimensions is covered by them. */
  const known = new Map<string, boolean>();
  const visit = (
    depth: number,
    rules: readonly HeldRule[],
    part: Partial<PolicyRule>,
  ): 'covered' | 'missing' | 'stopped' => {
    const each = dimensions[depth];
    if (each === undefined) {
      if (rules.length > 0) return 'covered';
      if (search.parts.length >= search.maxParts) return 'stopped';
      search.parts.push({ verbs: [], ...part });
      return 'missing';
    }
    const key = `${depth}:${rules.map(({ id }) => id).join(',')}`;
    if (known.get(key) === true) return 'covered';
    let covered = true;
    for (const value of each.values) {
      search.comparisons -= rules.length + 1;
      const left = search.comparisons > 0 ? rules.filter(rule => each.covers(rule, value)) : [];
      const found = visit(depth + 1, left, { ...part, ...each.field(value) });
      if (found === 'stopped') return 'stopped';
      covered &&= found === 'covered';
    }
    known.set(key, covered);
    return covered ? 'covered' : 'missing';
  };
  return visit(0, held, {}) !== 'stopped';
}
