import {
  invalid,
  notSupported,
  requiredField,
  type FieldError,
  type FieldPath,
} from '../../../../machinery/field-error.ts';
import { parseQuantity } from '../../../../machinery/quantity.ts';
import { qualifiedName } from '../../../../machinery/validation/names.ts';

/** Paths that have a name in the downward API, though not every place offers each. */
const namedPaths = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.host',
  'spec.nodeName',
  'spec.restartPolicy',
  'spec.schedulerName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.phase',
  'status.podIP',
  'status.podIPs',
];

/** core/validation's validateObjectFieldSelector. @param offered what may be asked for here */
export function validateFieldRef(
  { apiVersion = '', fieldPath }: { apiVersion?: string | undefined; fieldPath?: string },
  offered: readonly string[],
  at: FieldPath,
): FieldError[] {
  if (apiVersion === '') return [requiredField(at.child('apiVersion'))];
  if (!fieldPath) return [requiredField(at.child('fieldPath'))];
  const unknown = (words: string): FieldError[] => [
    invalid(at.child('fieldPath'), fieldPath, `error converting fieldPath: ${words}`),
  ];
  if (apiVersion !== 'v1') return unknown(`unsupported pod version: ${apiVersion}`);
  const [path, subscript] = splitSubscript(fieldPath);
  if (subscript !== undefined) {
    if (path !== 'metadata.annotations' && path !== 'metadata.labels') {
      return unknown(`field label does not support subscript: ${fieldPath}`);
    }
    const key = path === 'metadata.annotations' ? subscript.toLowerCase() : subscript;
    return qualifiedName(key).map(text => invalid(at, key, text));
  }
  if (!namedPaths.includes(fieldPath)) return unknown(`field label not supported: ${fieldPath}`);
  return offered.includes(fieldPath)
    ? []
    : [notSupported(at.child('fieldPath'), fieldPath, offered)];
}

/** `metadata.labels['a']` as its two parts (fieldpath's SplitMaybeSubscriptedPath). */
function splitSubscript(fieldPath: string): [path: string, subscript?: string] {
  const at = fieldPath.indexOf("['");
  const hasSubscript = at > 0 && fieldPath.endsWith("']") && at + 2 <= fieldPath.length - 2;
  return hasSubscript ? [fieldPath.slice(0, at), fieldPath.slice(at + 2, -2)] : [fieldPath];
}

const offeredResources = ['limits', 'requests'].flatMap(list =>
  ['cpu', 'ephemeral-storage', 'memory'].map(name => `${list}.${name}`),
);
const bytes = '1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei';
interface DivisorRule {
  readonly resource: RegExp;
  readonly units: string;
  readonly amounts: ReadonlySet<bigint>;
  readonly of: string;
}
const divisorRule = (resource: RegExp, units: string, of: string): DivisorRule => ({
  resource,
  units,
  amounts: new Set(units.split(/, | and /).map(parseQuantity)),
  of,
});
const divisors: readonly DivisorRule[] = [
  divisorRule(/\.cpu$/, '1m and 1', 'cpu'),
  divisorRule(/\.memory$/, bytes, 'memory'),
  divisorRule(/\.ephemeral-storage$/, bytes, 'local ephemeral storage'),
  divisorRule(/\.hugepages-/, bytes, 'hugepages'),
];

export interface ResourceFieldRef {
  readonly containerName?: string | undefined;
  readonly resource?: string;
  readonly divisor?: string | number | undefined;
}

/** core/validation's validateContainerResourceFieldSelector. @param inVolume where the container must be named */
export function validateResourceFieldRef(
  { containerName, resource = '', divisor }: ResourceFieldRef,
  inVolume: boolean,
  at: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  if (inVolume && !containerName) errors.push(requiredField(at.child('containerName')));
  else if (resource === '') errors.push(requiredField(at.child('resource')));
  else if (
    !offeredResources.includes(resource) &&
    !/^(limits|requests)\.hugepages-/.test(resource)
  ) {
    errors.push(notSupported(at.child('resource'), resource, offeredResources));
  }
  const amount = divisor === undefined ? 0n : parseQuantity(divisor);
  const rule = divisors.find(each => each.resource.test(resource));
  if (amount === 0n || rule === undefined) return errors;
  const { units, of } = rule;
  if (!rule.amounts.has(amount)) {
    errors.push(
      invalid(
        at.child('divisor'),
        resource,
        `only divisor's values ${units} are supported with the ${of} resource`,
      ),
    );
  }
  return errors;
}
