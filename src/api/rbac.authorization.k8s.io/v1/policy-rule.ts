import {
  invalidShown,
  requiredField,
  validateEach,
  type FieldError,
  type FieldPath,
} from '../../../machinery/field-error.ts';
import { list, object, optional, required, string, type Infer } from '../../../machinery/schema.ts';

export const rbacGroup = 'rbac.authorization.k8s.io';

const atomic = { listType: 'atomic' } as const;

const PolicyRuleSchema = object('io.k8s.api.rbac.v1.PolicyRule', 'What may be done to what.', {
  verbs: required(1, list(string()), 'What may be done: get, list and so on; * for all.', atomic),
  apiGroups: optional(2, list(string()), 'Groups of the resources; * for all.', atomic),
  resources: optional(
    3,
    list(string()),
    'The resources: pods, pods/log, */scale; * for all.',
    atomic,
  ),
  resourceNames: optional(4, list(string()), 'Only objects of these names; all if empty.', atomic),
  nonResourceURLs: optional(
    5,
    list(string()),
    'Paths that are no resources; * at the end stands for what follows. In ClusterRoles only.',
    atomic,
  ),
});
export type PolicyRule = Infer<typeof PolicyRuleSchema>;

export const rulesField = optional(
  2,
  list(PolicyRuleSchema),
  'What the role allows: each rule adds to the others.',
  atomic,
);

export const validateRules = (
  rules: readonly PolicyRule[],
  at: FieldPath,
  scope: { readonly namespaced: boolean },
): FieldError[] => validateEach(rules, (rule, i) => validateRule(rule, at.index(i), scope));

function validateRule(
  rule: PolicyRule,
  at: FieldPath,
  { namespaced }: { readonly namespaced: boolean },
): FieldError[] {
  const { apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  const errors: FieldError[] = [];
  if ((rule.verbs ?? []).length === 0) {
    errors.push(requiredField(at.child('verbs'), 'verbs must contain at least one value'));
  }
  if (nonResourceURLs.length > 0) {
    const wrong = (detail: string): FieldError =>
      invalidShown(at.child('nonResourceURLs'), goStrings(nonResourceURLs), detail);
    if (namespaced) errors.push(wrong('namespaced rules cannot apply to non-resource URLs'));
    if (apiGroups.length > 0 || resources.length > 0 || resourceNames.length > 0) {
      errors.push(wrong('rules cannot apply to both regular resources and non-resource URLs'));
    }
    return errors;
  }
  if (apiGroups.length === 0) {
    errors.push(
      requiredField(at.child('apiGroups'), 'resource rules must supply at least one api group'),
    );
  }
  if (resources.length === 0) {
    errors.push(
      requiredField(at.child('resources'), 'resource rules must supply at least one resource'),
    );
  }
  return errors;
}

const goStrings = (values: readonly string[]): string =>
  `[]string{${values.map(each => JSON.stringify(each)).join(', ')}}`;
