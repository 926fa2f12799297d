import {
  path,
  requiredField,
  validateEach,
  type FieldError,
} from '../../../machinery/field-error.ts';
import { kindSchema } from '../../../machinery/meta.ts';
import type { ResourceDescriptor } from '../../../machinery/resource.ts';
import { list, object, optional, type Infer } from '../../../machinery/schema.ts';
import { LabelSelectorSchema } from '../../../machinery/selectors/label-selector-schema.ts';
import { validateLabelSelector } from '../../../machinery/validation/label-selector.ts';
import { allVerbs, nameColumn } from '../../core/v1/columns.ts';
import { createdAtColumn } from './columns.ts';
import { rbacGroup, rulesField, validateRules } from './policy-rule.ts';

export const ClusterRoleSchema = kindSchema(
  'io.k8s.api.rbac.v1.ClusterRole',
  'ClusterRole says what may be done; a ClusterRoleBinding says by whom everywhere, a RoleBinding by whom in its namespace.',
  {
    rules: rulesField,
    aggregationRule: optional(
      3,
      object('io.k8s.api.rbac.v1.AggregationRule', 'Where a role takes its rules from.', {
        clusterRoleSelectors: optional(
          1,
          list(LabelSelectorSchema),
          'The rules of every ClusterRole that one of these chooses become its own.',
          { listType: 'atomic' },
        ),
      }),
      'If set, the rules are gathered from other roles, and what is written to them is replaced.',
    ),
  },
);
export type ClusterRole = Infer<typeof ClusterRoleSchema>;

export const clusterRoleResource: ResourceDescriptor<ClusterRole> = {
  group: rbacGroup,
  version: 'v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  singular: 'clusterrole',
  namespaced: false,
  stored: true,
  verbs: allVerbs,
  schema: ClusterRoleSchema,
  nameRule: 'path-segment',
  allowCreateOnUpdate: true,
  validate: ({ rules = [], aggregationRule }) => [
    ...validateRules(rules, path('rules'), { namespaced: false }),
    ...(aggregationRule === undefined ? [] : validateAggregation(aggregationRule)),
  ],
  columns: [nameColumn, createdAtColumn],
};

function validateAggregation({
  clusterRoleSelectors = [],
}: NonNullable<ClusterRole['aggregationRule']>): FieldError[] {
  const at = path('aggregationRule').child('clusterRoleSelectors');
  return clusterRoleSelectors.length === 0
    ? [requiredField(at, 'at least one clusterRoleSelector required if aggregationRule is non-nil')]
    : validateEach(clusterRoleSelectors, (each, i) => validateLabelSelector(each, at.index(i)));
}
