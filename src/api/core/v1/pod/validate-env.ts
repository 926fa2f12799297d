import {
  invalid,
  requiredField,
  validateEach,
  type FieldError,
  type FieldPath,
} from '../../../../machinery/field-error.ts';
import {
  configMapKey,
  dns1123Subdomain,
  envVarNameRelaxed,
} from '../../../../machinery/validation/names.ts';
import { maskTrailingDash } from '../../../../machinery/validation/object-meta.ts';
import type { EnvFromSource, EnvVar } from './env-schema.ts';
import { validateFieldRef, validateResourceFieldRef } from './validate-field-refs.ts';

/*
 * Names are held to today's rule, which takes what the stricter one of old took and more: what a
 * node does with a key of envFrom that is no name of old is the node's (`--env-names`).
 */

export function validateEnv(variables: readonly EnvVar[], at: FieldPath): FieldError[] {
  return validateEach(variables, (variable, i) => {
    const here = at.index(i);
    const { name } = variable;
    return [
      ...(name
        ? envVarNameRelaxed(name).map(text => invalid(here.child('name'), name, text))
        : [requiredField(here.child('name'))]),
      ...validateValueFrom(variable, here.child('valueFrom')),
    ];
  });
}

const offeredFields = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];

function validateValueFrom({ value, valueFrom }: EnvVar, at: FieldPath): FieldError[] {
  if (valueFrom === undefined) return [];
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  const errors = [
    ...(fieldRef === undefined
      ? []
      : validateFieldRef(fieldRef, offeredFields, at.child('fieldRef'))),
    ...(resourceFieldRef === undefined
      ? []
      : validateResourceFieldRef(resourceFieldRef, false, at.child('resourceFieldRef'))),
    ...(configMapKeyRef === undefined
      ? []
      : validateKeyRef(configMapKeyRef, at.child('configMapKeyRef'))),
    ...(secretKeyRef === undefined ? [] : validateKeyRef(secretKeyRef, at.child('secretKeyRef'))),
  ];
  const given = Object.values(valueFrom).filter(each => each !== undefined).length;
  if (given === 0) {
    errors.push(
      invalid(
        at,
        '',
        'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`',
      ),
    );
  } else if (value) {
    errors.push(invalid(at, '', 'may not be specified when `value` is not empty'));
  } else if (given > 1) {
    errors.push(invalid(at, '', 'may not have more than one field specified at a time'));
  }
  return errors;
}

function validateKeyRef(
  { name = '', key }: { name?: string | undefined; key?: string },
  at: FieldPath,
): FieldError[] {
  return [
    ...dns1123Subdomain(name).map(text => invalid(at.child('name'), name, text)),
    ...(key
      ? configMapKey(key).map(text => invalid(at.child('key'), key, text))
      : [requiredField(at.child('key'))]),
  ];
}

/** Whether there is one source is told of the whole list, as Kubernetes does. */
export function validateEnvFrom(sources: readonly EnvFromSource[], at: FieldPath): FieldError[] {
  return validateEach(sources, ({ prefix, configMapRef, secretRef }, i) => {
    const here = at.index(i);
    const errors = prefix
      ? envVarNameRelaxed(prefix).map(text => invalid(here.child('prefix'), prefix, text))
      : [];
    if (configMapRef !== undefined)
      errors.push(...validateSourceName(configMapRef, here.child('configMapRef')));
    if (secretRef !== undefined)
      errors.push(...validateSourceName(secretRef, here.child('secretRef')));
    if (configMapRef === undefined && secretRef === undefined) {
      errors.push(invalid(at, '', 'must specify one of: `configMapRef` or `secretRef`'));
    } else if (configMapRef !== undefined && secretRef !== undefined) {
      errors.push(invalid(at, '', 'may not have more than one field specified at a time'));
    }
    return errors;
  });
}

const validateSourceName = (
  { name = '' }: { name?: string | undefined },
  at: FieldPath,
): FieldError[] =>
  name === ''
    ? [requiredField(at.child('name'))]
    : dns1123Subdomain(maskTrailingDash(name)).map(text => invalid(at.child('name'), name, text));
