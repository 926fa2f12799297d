import type { PolicyRule } from '../../../api/rbac.authorization.k8s.io/v1/policy-rule.ts';
import type { Attributes } from '../authorizer.ts';
import { indexPaths, type PathIndex } from './path-index.ts';
import { indexRules, type ResourceAction, type RuleIndex } from './rule-index.ts';

/** The rules of one role, arranged for the question that every request asks. */
export interface CompiledRole {
  readonly rules: readonly PolicyRule[];
  /** The rules for resources. */
  readonly index: RuleIndex;
  /** The rules for other paths. */
  readonly paths: PathIndex;
  allows(question: Question): boolean;
}

/** What a request asks of each of its roles. */
export type Question =
  | { readonly isResource: true; readonly action: ResourceAction }
  | { readonly isResource: false; readonly verb: string; readonly path: string };

export function questionOf(attributes: Attributes): Question {
  const { isResource, verb, path, group, resource, subresource, name } = attributes;
  if (!isResource) return { isResource, verb, path };
  const resources =
    subresource === '' ? ['*', resource] : ['*', `${resource}/${subresource}`, `*/${subresource}`];
  return { isResource, action: { verb, group, resources, name } };
}

export function compileRole(rules: readonly PolicyRule[]): CompiledRole {
  const index = indexRules(rules);
  const paths = indexPaths(rules);
  return {
    rules,
    index,
    paths,
    allows: question =>
      question.isResource
        ? index.allows(question.action)
        : paths.allows(question.verb, question.path),
  };
}
