import type { PolicyRule } from '../../../api/rbac.authorization.k8s.io/v1/policy-rule.ts';

/** The smallest parts of `wanted` that no rule of `held` covers: one verb on one thing each. */
export const uncovered = (
  held: readonly PolicyRule[],
  wanted: readonly PolicyRule[],
): PolicyRule[] => wanted.flatMap(breakDown).filter(part => !held.some(rule => covers(rule, part)));

function breakDown(rule: PolicyRule): PolicyRule[] {
  const { verbs, apiGroups = [], resources = [], resourceNames = [] } = rule;
  const named =
    resourceNames.length === 0 ? [{}] : resourceNames.map(each => ({ resourceNames: [each] }));
  const onResources = apiGroups.flatMap(group =>
    resources.flatMap(resource =>
      verbs.flatMap(verb =>
        named.map(names => ({
          verbs: [verb],
          apiGroups: [group],
          resources: [resource],
          ...names,
        })),
      ),
    ),
  );
  const onPaths = (rule.nonResourceURLs ?? []).flatMap(url =>
    verbs.map(verb => ({ verbs: [verb], nonResourceURLs: [url] })),
  );
  return [...onResources, ...onPaths];
}

/** Whether a rule allows all that a part does. */
function covers(rule: PolicyRule, part: PolicyRule): boolean {
  const { resourceNames: names = [], nonResourceURLs: urls = [] } = rule;
  return (
    hasAll(rule.verbs, part.verbs) &&
    hasAll(rule.apiGroups, part.apiGroups) &&
    (part.resources ?? []).every(each => coversResource(rule.resources ?? [], each)) &&
    // Names know no wildcard.
    (names.length === 0 || (part.resourceNames?.every(each => names.includes(each)) ?? false)) &&
    (part.nonResourceURLs ?? []).every(url => urls.some(each => coversUrl(each, url)))
  );
}

const hasAll = (held: readonly string[] = [], wanted: readonly string[] = []): boolean =>
  held.includes('*') || wanted.every(each => held.includes(each));

function coversResource(held: readonly string[], wanted: string): boolean {
  const [, subresource] = wanted.split(/\/(.*)/s);
  return (
    held.includes('*') ||
    held.includes(wanted) ||
    (subresource !== undefined && held.includes(`*/${subresource}`))
  );
}

const coversUrl = (held: string, wanted: string): boolean =>
  held === wanted || (held.endsWith('*') && wanted.startsWith(held.replace(/\*+$/, '')));

/** Parts that differ by their verb alone, put together: what a message shows. */
export function compact(parts: readonly PolicyRule[]): PolicyRule[] {
  const compacted: PolicyRule[] = [];
  const byResource = new Map<string, PolicyRule>();
  for (const part of parts) {
    const simple = part.resourceNames === undefined && part.nonResourceURLs === undefined;
    const key = simple ? JSON.stringify([part.apiGroups, part.resources]) : '';
    const known = byResource.get(key);
    if (known !== undefined) {
      known.verbs.push(...part.verbs);
      continue;
    }
    const own = { ...part, verbs: [...part.verbs] };
    compacted.push(own);
    if (simple) byResource.set(key, own);
  }
  return compacted;
}

/** A rule as Kubernetes shows it: `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`. */
export function ruleText(rule: PolicyRule): string {
  const parts = [
    ['APIGroups', rule.apiGroups],
    ['Resources', rule.resources],
    ['NonResourceURLs', rule.nonResourceURLs],
    ['ResourceNames', rule.resourceNames],
    ['Verbs', rule.verbs],
  ] as const;
  const texts = parts.flatMap(([name, values = []]) =>
    values.length === 0 ? [] : [`${name}:${quotedList(values)}`],
  );
  return `{${texts.join(', ')}}`;
}

/** Go's %q of a list of strings. */
export const quotedList = (values: readonly string[]): string =>
  `[${values.map(each => JSON.stringify(each)).join(' ')}]`;
