import {
  forbidden,
  invalid,
  notSupported,
  path,
  requiredField,
  validateEach,
  type FieldError,
} from '../../../../machinery/field-error.ts';
import { sameJson } from '../../../../machinery/same-json.ts';
import { dns1123Label, dns1123Subdomain } from '../../../../machinery/validation/names.ts';
import type { Pod } from './pod-schema.ts';
import { validateContainer } from './validate-containers.ts';
import { validateVolumes } from './validate-volumes.ts';

const at = path('spec');
const restartPolicies = ['Always', 'OnFailure', 'Never'];
const dnsPolicies = ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'];

/** core/validation's ValidatePod, for what Keylet knows of pods. */
export function validatePod({ spec }: Pod): FieldError[] {
  if (spec === undefined) return [requiredField(at)];
  const { initContainers = [] } = spec;
  // What a client left out is not there, whatever the schema promises of valid pods.
  const containers = (spec as Partial<Pod['spec']>).containers ?? [];
  const { errors, good: volumes } = validateVolumes(spec.volumes ?? [], at.child('volumes'));
  const names = new Set<string>();
  if (containers.length === 0) errors.push(requiredField(at.child('containers')));
  for (const [list, all] of [
    ['containers', containers],
    ['initContainers', initContainers],
  ] as const) {
    const rules = { volumes, names, init: list === 'initContainers' };
    errors.push(
      ...validateEach(all, (container, i) =>
        validateContainer(container, at.child(list).index(i), rules),
      ),
    );
  }
  if (!restartPolicies.includes(spec.restartPolicy ?? 'Always')) {
    errors.push(notSupported(at.child('restartPolicy'), spec.restartPolicy, restartPolicies));
  }
  if (!dnsPolicies.includes(spec.dnsPolicy ?? 'ClusterFirst')) {
    errors.push(notSupported(at.child('dnsPolicy'), spec.dnsPolicy, dnsPolicies));
  }
  const grace = spec.terminationGracePeriodSeconds ?? 30;
  if (grace < 0)
    errors.push(
      invalid(
        at.child('terminationGracePeriodSeconds'),
        grace,
        'must be greater than or equal to 0',
      ),
    );
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined && deadline < 1) {
    errors.push(
      invalid(
        at.child('activeDeadlineSeconds'),
        deadline,
        'must be between 1 and 2147483647, inclusive',
      ),
    );
  }
  const name = (
    field: 'serviceAccountName' | 'nodeName',
    rule: (value: string) => string[],
  ): void => {
    const value = spec[field];
    if (value) errors.push(...rule(value).map(text => invalid(at.child(field), value, text)));
  };
  name('serviceAccountName', dns1123Subdomain);
  name('nodeName', dns1123Subdomain);
  for (const field of ['hostname', 'subdomain'] as const) {
    const value = spec[field];
    if (value)
      errors.push(...dns1123Label(value).map(text => invalid(at.child(field), value, text)));
  }
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    errors.push(
      invalid(
        at.child('shareProcessNamespace'),
        true,
        'ShareProcessNamespace and HostPID cannot both be enabled',
      ),
    );
  }
  if ((spec.ephemeralContainers ?? []).length > 0) {
    errors.push(forbidden(at.child('ephemeralContainers'), 'cannot be set on create'));
  }
  return errors;
}

/** What may change of a pod that is there: images, the deadline, added tolerations. */
export function validatePodUpdate(next: Pod, old: Pod): FieldError[] {
  const allowed = { ...next.spec };
  const stored = old.spec;
  for (const list of ['containers', 'initContainers'] as const) {
    if ((allowed[list] ?? []).length !== (stored[list] ?? []).length) {
      return [forbidden(at.child(list), 'pod updates may not add or remove containers')];
    }
    if (allowed[list] === undefined) continue;
    allowed[list] = allowed[list].map((container, i) => {
      const image = stored[list]?.[i]?.image;
      return image === undefined ? container : { ...container, image };
    });
  }
  const tolerations = new Set((allowed.tolerations ?? []).map(tolerationKey));
  if ((stored.tolerations ?? []).every(each => tolerations.has(tolerationKey(each))))
    allowed.tolerations = stored.tolerations;
  const deadline = allowed.activeDeadlineSeconds;
  const shorter =
    deadline !== undefined &&
    (stored.activeDeadlineSeconds === undefined || deadline <= stored.activeDeadlineSeconds);
  if (shorter) allowed.activeDeadlineSeconds = stored.activeDeadlineSeconds;
  if (sameJson(allowed, stored)) return [];
  return [
    forbidden(
      at,
      'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
    ),
  ];
}

/** The same for tolerations that are equal. */
const tolerationKey = ({
  key,
  operator,
  value,
  effect,
  tolerationSeconds,
}: NonNullable<Pod['spec']['tolerations']>[number]): string =>
  JSON.stringify([key, operator, value, effect, tolerationSeconds]);
