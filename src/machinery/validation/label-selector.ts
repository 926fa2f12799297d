import {
  forbidden,
  invalid,
  requiredField,
  validateEach,
  type FieldError,
  type FieldPath,
} from '../field-error.ts';
import type { LabelSelectorObject } from '../selectors/label-selector.ts';
import { labelValue, qualifiedName } from './names.ts';
import { validateLabels } from './object-meta.ts';

/** What is wrong with a metav1.LabelSelector. */
export function validateLabelSelector(selector: LabelSelectorObject, at: FieldPath): FieldError[] {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return [
    ...validateLabels(matchLabels, at.child('matchLabels')),
    ...validateEach(matchExpressions, (each, i) =>
      validateRequirement(each, at.child('matchExpressions').index(i)),
    ),
  ];
}

type Requirement = NonNullable<LabelSelectorObject['matchExpressions']>[number];

function validateRequirement(
  { key, operator, values = [] }: Requirement,
  at: FieldPath,
): FieldError[] {
  return [
    ...validateOperator(operator, values, at),
    ...qualifiedName(key ?? '').map(text => invalid(at.child('key'), key, text)),
    ...validateEach(values, (value, i) =>
      labelValue(value).map(text => invalid(at.child('values').index(i), value, text)),
    ),
  ];
}

function validateOperator(operator: string, values: string[], at: FieldPath): FieldError[] {
  switch (operator) {
    case 'In':
    case 'NotIn':
      return values.length > 0
        ? []
        : [
            requiredField(
              at.child('values'),
              "must be specified when `operator` is 'In' or 'NotIn'",
            ),
          ];
    case 'Exists':
    case 'DoesNotExist':
      return values.length === 0
        ? []
        : [
            forbidden(
              at.child('values'),
              "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            ),
          ];
    default:
      return [invalid(at.child('operator'), operator, 'not a valid selector operator')];
  }
}
