import type { PolicyRule } from '../../../api/rbac.authorization.k8s.io/v1/policy-rule.ts';

/** One verb on one resource. */
export interface ResourceAction {
  readonly verb: string;
  readonly group: string;
  /** What a rule may call the resource: see `resourceKeys`. */
  readonly resources: readonly string[];
  /** Of one object; undefined for objects of any name. */
  readonly name: string | undefined;
}

/** Rules for resources, found by what they name. */
export interface RuleIndex {
  /** Whether one of the rules allows it. */
  allows(action: ResourceAction): boolean;
  /** All rules that allow some part of what the given rule does, and maybe others. */
  overlapping(rule: PolicyRule): Iterable<PolicyRule>;
}

/** What rules call a resource such as `pods` or `pods/log`: for the latter also `*` and, last, the log of all. */
export function resourceKeys(resource: string): readonly string[] {
  const slash = resource.indexOf('/');
  return slash < 0 ? ['*', resource] : ['*', resource, `*${resource.slice(slash)}`];
}

/** Sets that are this small are searched faster, and take less memory, as lists. */
const smallSet = 16;

type Values = readonly string[] | ReadonlySet<string>;
/** Undefined stands for any. */
type Choice = Values | undefined;

interface IndexedRule {
  readonly source: PolicyRule;
  readonly verbs: Choice;
  readonly groups: Choice;
  readonly resources: Values;
  readonly names: Choice;
}

/** The rules that name a value, by value. */
type Postings = ReadonlyMap<string, readonly IndexedRule[]>;
type RuleLists = readonly (readonly IndexedRule[])[];

/**
 * Finding a rule looks at the rarest part of the action only: of 10,000 rules for secrets that differ by
 * name, at those for the name that is asked for.
 */
export function indexRules(rules: readonly PolicyRule[]): RuleIndex {
  const indexed = rules.filter(({ resources = [] }) => resources.length > 0).map(indexedRule);
  // Lookups do not pay for a few rules.
  if (indexed.length <= smallSet) {
    return {
      allows: action => indexed.some(rule => ruleAllows(rule, action)),
      overlapping: () => indexed.map(({ source }) => source),
    };
  }
  const byResource = postingsOf(indexed, ({ resources }) => resources);
  const byVerb = postingsOf(indexed, ({ verbs = anyValue }) => verbs);
  const byGroup = postingsOf(indexed, ({ groups = anyValue }) => groups);
  const byName = postingsOf(indexed, ({ names = [] }) => names);
  const unnamed = indexed.filter(({ names }) => names === undefined);

  const ofAnyName = (wanted: Wanted): RuleLists => {
    let rarest = listsOf(byResource, wanted.resources);
    for (const lists of [listsOf(byVerb, wanted.verbs), listsOf(byGroup, wanted.groups)]) {
      if (countOf(lists) < countOf(rarest)) rarest = lists;
    }
    return rarest;
  };
  const candidates = (wanted: Wanted): RuleLists => {
    const named = wanted.names === undefined ? [] : listsOf(byName, wanted.names);
    const ofName = [unnamed, ...named];
    const others = ofAnyName(wanted);
    return countOf(ofName) < countOf(others) ? ofName : others;
  };
  const remembered = rememberAnswers(({ verb, group, resources }) =>
    ofAnyName({ verbs: [verb, '*'], groups: [group, '*'], resources, names: undefined }),
  );
  return {
    allows(action) {
      const { verb, group, resources, name } = action;
      let lists = listsOf(byResource, resources);
      if (countOf(lists) > smallSet) {
        const names = name === undefined ? undefined : [name];
        lists = candidates({ verbs: [verb, '*'], groups: [group, '*'], resources, names });
        // Rules may share each part of the action and still not allow it as a whole.
        if (countOf(lists) > smallSet) {
          const { all, names: allowed } = remembered(action);
          return all || (name !== undefined && allowed.has(name));
        }
      }
      for (const list of lists) {
        for (const rule of list) if (ruleAllows(rule, action)) return true;
      }
      return false;
    },
    overlapping({ verbs, apiGroups = [], resources = [], resourceNames = [] }) {
      const lists = candidates({
        verbs: [...verbs, '*'],
        groups: [...apiGroups, '*'],
        resources: [...new Set(resources.flatMap(resourceKeys))],
        names: resourceNames.length === 0 ? undefined : resourceNames,
      });
      return new Set(lists.flatMap(list => list.map(({ source }) => source)));
    },
  };
}

/** What rules allow of a verb on a resource. */
interface Answer {
  /** Whether on objects of every name. */
  readonly all: boolean;
  /** On which ones, if not on all. */
  readonly names: ReadonlySet<string>;
}

/** Names that are remembered in all, for one role. */
const maxRemembered = 20_000;

/** Looks through the rules for each verb, group and resource once. */
function rememberAnswers(
  candidates: (action: ResourceAction) => RuleLists,
): (action: ResourceAction) => Answer {
  const answers = new Map<string, Answer>();
  let size = 0;
  return action => {
    const key = JSON.stringify([action.verb, action.group, action.resources]);
    const known = answers.get(key);
    if (known !== undefined) return known;
    let all = false;
    const names = new Set<string>();
    for (const rule of candidates(action).flat()) {
      if (!coversKind(rule, action)) continue;
      if (rule.names === undefined) all = true;
      else for (const name of rule.names) names.add(name);
    }
    const answer: Answer = { all, names };
    size += names.size + 1;
    if (size > maxRemembered) {
      answers.clear();
      size = names.size + 1;
    }
    answers.set(key, answer);
    return answer;
  };
}

/** Every value that a rule may name to be of interest. */
interface Wanted {
  readonly verbs: readonly string[];
  readonly groups: readonly string[];
  readonly resources: readonly string[];
  /** Undefined where only a rule for all names will do. */
  readonly names: readonly string[] | undefined;
}

const anyValue: Values = ['*'];

const indexedRule = (rule: PolicyRule): IndexedRule => ({
  source: rule,
  verbs: choice(rule.verbs),
  groups: choice(rule.apiGroups),
  // In resources, `*` is one of the names that an action gives.
  resources: valuesOf(rule.resources),
  // Names know no wildcard.
  names: (rule.resourceNames ?? []).length === 0 ? undefined : valuesOf(rule.resourceNames),
});

const valuesOf = (values: readonly string[] = []): Values =>
  values.length <= smallSet ? values : new Set(values);

const choice = (values: readonly string[] = []): Choice =>
  values.includes('*') ? undefined : valuesOf(values);

const has = (values: Values, value: string): boolean =>
  'has' in values ? values.has(value) : values.includes(value);

const coversKind = (rule: IndexedRule, { verb, group, resources }: ResourceAction): boolean =>
  (rule.verbs === undefined || has(rule.verbs, verb)) &&
  (rule.groups === undefined || has(rule.groups, group)) &&
  resources.some(each => has(rule.resources, each));

const ruleAllows = (rule: IndexedRule, action: ResourceAction): boolean =>
  coversKind(rule, action) &&
  (rule.names === undefined || (action.name !== undefined && has(rule.names, action.name)));

function postingsOf(
  rules: readonly IndexedRule[],
  valuesIn: (rule: IndexedRule) => Values,
): Postings {
  const postings = new Map<string, IndexedRule[]>();
  for (const rule of rules) {
    for (const value of valuesIn(rule)) {
      const list = postings.get(value);
      if (list === undefined) postings.set(value, [rule]);
      // A rule may name a value twice.
      else if (list.at(-1) !== rule) list.push(rule);
    }
  }
  return postings;
}

const listsOf = (postings: Postings, values: readonly string[]): RuleLists =>
  values.map(value => postings.get(value) ?? noRules);

const noRules: readonly IndexedRule[] = [];

function countOf(lists: RuleLists): number {
  let count = 0;
  for (const { length } of lists) count += length;
  return count;
}
