import type { PolicyRule } from '../../../api/rbac.authorization.k8s.io/v1/policy-rule.ts';
import { shorten } from '../../../machinery/shorten.ts';

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
  `[${values.map(each => JSON.stringify(shorten(each))).join(' ')}]`;
