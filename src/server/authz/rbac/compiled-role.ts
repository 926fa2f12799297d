import type { PolicyRule } from '../../../api/rbac.authorization.k8s.io/v1/policy-rule.ts';
import type { Attributes } from '../authorizer.ts';
import { withoutStarsAtEnd } from './covers.ts';

/** The rules of one role, arranged for the question that every request asks. */
export interface CompiledRole {
  readonly rules: readonly PolicyRule[];
  allows(attributes: Attributes): boolean;
}

/** `undefined` stands for any. */
type Choice = ReadonlySet<string> | undefined;

interface ResourceRule {
  readonly verbs: Choice;
  readonly groups: Choice;
  readonly names: Choice;
}

interface PathRule {
  readonly verbs: Choice;
  readonly paths: ReadonlySet<string>;
  /** What stood before a `*` at the end. */
  readonly prefixes: readonly string[];
}

export function compileRole(rules: readonly PolicyRule[]): CompiledRole {
  const byResource = new Map<string, ResourceRule[]>();
  const pathRules: PathRule[] = [];
  for (const { verbs = [], apiGroups = [], resources = [], ...rule } of rules) {
    const { resourceNames = [], nonResourceURLs = [] } = rule;
    if (nonResourceURLs.length > 0) pathRules.push(pathRule(verbs, nonResourceURLs));
    const compiled: ResourceRule = {
      verbs: choice(verbs),
      groups: choice(apiGroups),
      names: resourceNames.length === 0 ? undefined : new Set(resourceNames),
    };
    for (const resource of new Set(resources)) {
      const others = byResource.get(resource);
      if (others === undefined) byResource.set(resource, [compiled]);
      else others.push(compiled);
    }
  }
  const anyAllows = (key: string, attributes: Attributes): boolean => {
    for (const rule of byResource.get(key) ?? []) if (holds(rule, attributes)) return true;
    return false;
  };
  return {
    rules,
    allows(attributes) {
      if (!attributes.isResource) return pathRules.some(rule => coversPath(rule, attributes));
      const { resource, subresource } = attributes;
      if (anyAllows('*', attributes)) return true;
      if (subresource === '') return anyAllows(resource, attributes);
      return (
        anyAllows(`${resource}/${subresource}`, attributes) ||
        anyAllows(`*/${subresource}`, attributes)
      );
    },
  };
}

const choice = (values: readonly string[]): Choice =>
  values.includes('*') ? undefined : new Set(values);

const holds = ({ verbs, groups, names }: ResourceRule, { verb, group, name }: Attributes) =>
  (verbs?.has(verb) ?? true) && (groups?.has(group) ?? true) && (names?.has(name) ?? true);

const pathRule = (verbs: readonly string[], urls: readonly string[]): PathRule => ({
  verbs: choice(verbs),
  paths: new Set(urls),
  prefixes: urls.filter(each => each.endsWith('*')).map(withoutStarsAtEnd),
});

const coversPath = ({ verbs, paths, prefixes }: PathRule, { verb, path }: Attributes): boolean =>
  (verbs?.has(verb) ?? true) && (paths.has(path) || prefixes.some(each => path.startsWith(each)));
