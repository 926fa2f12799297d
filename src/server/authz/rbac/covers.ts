import type { PolicyRule } from '../../../api/rbac.authorization.k8s.io/v1/policy-rule.ts';
import type { CompiledRole } from './compiled-role.ts';
import { resourceKeys } from './rule-index.ts';

export interface Uncovered {
  /** One verb on one thing each, in the order in which the rules name them. */
  readonly parts: readonly PolicyRule[];
  /** Whether these are all. */
  readonly complete: boolean;
}

/** Far more than a role that fits into a request needs, unless its rules are made to be expensive. */
const maxSteps = 20_000_000;

/** Rules with more parts than this are compared list by list, not part by part. */
const maxExpandedParts = 256;

/** Parts that are remembered: rules often share many. */
const maxKnown = 100_000;

/** As `findUncovered`, in one go. */
export function uncovered(
  held: readonly CompiledRole[],
  wanted: readonly PolicyRule[],
  maxParts?: number,
): Uncovered {
  const search = findUncovered(held, wanted, maxParts);
  for (;;) {
    const { done, value } = search.next();
    if (done === true) return value;
  }
}

/**
 * The smallest parts of `wanted` that no rule of `held` covers. Kubernetes makes every part and compares it with
 * every rule. Here each part is looked up in the roles' indexes, and of a rule of long lists, which has millions of
 * parts, values that the same rules cover are compared once. What would take too many steps counts as not covered.
 * Yields after each step, so that the caller can let others work.
 * @param maxParts after which no more are looked for
 */
export function* findUncovered(
  held: readonly CompiledRole[],
  wanted: readonly PolicyRule[],
  maxParts = Infinity,
): Generator<undefined, Uncovered> {
  const search: Search = { held, parts: [], maxParts, stepsLeft: maxSteps, known: new Map() };
  const seen = new Set<string>();
  for (const rule of wanted) {
    const key = JSON.stringify(rule);
    if (seen.has(key)) continue;
    seen.add(key);
    const looks = [expandPaths(rule, search), lookForResources(rule, search)];
    for (const look of looks) {
      if ((yield* look) === 'stopped') return { parts: search.parts, complete: false };
    }
  }
  return { parts: search.parts, complete: true };
}

interface Search {
  readonly held: readonly CompiledRole[];
  readonly parts: PolicyRule[];
  readonly maxParts: number;
  stepsLeft: number;
  /** Whether parts that were looked up are covered. */
  readonly known: Map<string, boolean>;
}

type Outcome = 'covered' | 'missing' | 'stopped';

/** Goes on until the steps or the parts are used up. */
function* step(search: Search, count: number): Generator<undefined, boolean> {
  yield;
  search.stepsLeft -= count;
  return search.stepsLeft > 0;
}

function report(part: PolicyRule, search: Search): Outcome {
  if (search.parts.length >= search.maxParts) return 'stopped';
  search.parts.push(part);
  return 'missing';
}

function* expandPaths(
  { verbs, nonResourceURLs = [] }: PolicyRule,
  search: Search,
): Generator<undefined, Outcome> {
  for (const path of nonResourceURLs) {
    for (const verb of verbs) {
      if (!(yield* step(search, search.held.length))) return 'stopped';
      if (search.held.some(({ paths }) => paths.allows(verb, path))) continue;
      if (report({ verbs: [verb], nonResourceURLs: [path] }, search) === 'stopped')
        return 'stopped';
    }
  }
  return 'covered';
}

function lookForResources(rule: PolicyRule, search: Search): Generator<undefined, Outcome> {
  const { verbs, apiGroups = [], resources = [], resourceNames = [] } = rule;
  const parts =
    verbs.length * apiGroups.length * resources.length * Math.max(1, resourceNames.length);
  return parts <= maxExpandedParts
    ? expandResources(rule, search)
    : compareLists(rule, heldRules(rule, search), search);
}

function* expandResources(
  { verbs, apiGroups = [], resources = [], resourceNames = [] }: PolicyRule,
  search: Search,
): Generator<undefined, Outcome> {
  const names = resourceNames.length === 0 ? [undefined] : resourceNames;
  for (const group of apiGroups) {
    for (const resource of resources) {
      for (const verb of verbs) {
        for (const name of names) {
          const key = JSON.stringify([group, resource, verb, name]);
          let covered = search.known.get(key);
          if (covered === undefined) {
            if (!(yield* step(search, search.held.length))) return 'stopped';
            const action = { verb, group, resources: resourceKeys(resource), name };
            covered = search.held.some(({ index }) => index.allows(action));
            if (search.known.size < maxKnown) search.known.set(key, covered);
          }
          if (covered) continue;
          const part = { verbs: [verb], apiGroups: [group], resources: [resource] };
          const named = name === undefined ? part : { ...part, resourceNames: [name] };
          if (report(named, search) === 'stopped') return 'stopped';
        }
      }
    }
  }
  return 'covered';
}

/** A rule that is held, arranged for look-ups. */
interface HeldRule {
  readonly id: number;
  verb(verb: string): boolean;
  group(group: string): boolean;
  resource(resource: string): boolean;
  /** @param name undefined for all */
  name(name: string | undefined): boolean;
}

const heldRules = (wanted: PolicyRule, { held }: Search): HeldRule[] =>
  held.flatMap(({ index }) => [...index.overlapping(wanted)]).map(compile);

function compile(rule: PolicyRule, id: number): HeldRule {
  const verbs = new Set(rule.verbs);
  const groups = new Set(rule.apiGroups);
  const resources = new Set(rule.resources);
  const names = new Set(rule.resourceNames);
  return {
    id,
    verb: each => verbs.has('*') || verbs.has(each),
    group: each => groups.has('*') || groups.has(each),
    resource: each => resourceKeys(each).some(key => resources.has(key)),
    // Names know no wildcard.
    name: each => names.size === 0 || (each !== undefined && names.has(each)),
  };
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

const dimensionsOf = (rule: PolicyRule): Dimension[] => [
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
  dimension(
    rule.verbs,
    (held, verb) => held.verb(verb),
    verb => ({ verbs: [verb] }),
  ),
  {
    values: (rule.resourceNames ?? []).length === 0 ? [undefined] : (rule.resourceNames ?? []),
    covers: (held, name) => held.name(name),
    field: name => (name === undefined ? {} : { resourceNames: [name] }),
  },
];

function* compareLists(
  wanted: PolicyRule,
  held: readonly HeldRule[],
  search: Search,
): Generator<undefined, Outcome> {
  const dimensions = dimensionsOf(wanted);
  /** By dimension and rules: whether what is left of the dimensions is covered by them. */
  const known = new Map<string, boolean>();
  function* visit(
    depth: number,
    rules: readonly HeldRule[],
    part: Partial<PolicyRule>,
  ): Generator<undefined, Outcome> {
    const each = dimensions[depth];
    if (each === undefined) {
      return rules.length > 0 ? 'covered' : report({ verbs: [], ...part }, search);
    }
    const key = `${depth}:${rules.map(({ id }) => id).join(',')}`;
    if (known.get(key) === true) return 'covered';
    let covered = true;
    for (const value of each.values) {
      if (!(yield* step(search, rules.length + 1))) return 'stopped';
      const left = rules.filter(rule => each.covers(rule, value));
      const found = yield* visit(depth + 1, left, { ...part, ...each.field(value) });
      if (found === 'stopped') return 'stopped';
      covered &&= found === 'covered';
    }
    known.set(key, covered);
    return covered ? 'covered' : 'missing';
  }
  return yield* visit(0, held, {});
}
