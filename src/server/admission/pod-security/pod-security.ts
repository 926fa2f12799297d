import { isDeepStrictEqual } from 'node:util';
import type { Namespace } from '../../../api/core/v1/namespace.ts';
import type { Pod } from '../../../api/core/v1/pod.ts';
import { absent, forbidden, internalError, invalidObject } from '../../../machinery/status.ts';
import type { ObjectStore } from '../../registry/object-store.ts';
import type { AdmissionHook, AdmissionRequest } from '../admission.ts';
import type { PodToCheck } from './check.ts';
import type { PodSecurityConfiguration } from './configuration.ts';
import { detailsText, evaluatePod } from './evaluate.ts';
import { existingPodWarnings } from './existing-pods.ts';
import { podTemplateOf, type TemplateOf } from './pod-template.ts';
import {
  isStricter,
  levelLabel,
  modes,
  policyFromLabels,
  policyText,
  versionLabel,
  type Policy,
} from './policy.ts';
import { isSignificantUpdate } from './significant-update.ts';

export interface PodSecurityOptions {
  readonly namespaces: Pick<ObjectStore<Namespace>, 'get'>;
  readonly pods: Pick<ObjectStore<Pod>, 'list'>;
  readonly configuration: PodSecurityConfiguration;
  readonly templateOf?: TemplateOf;
}

/** Pod subresources that cannot change what a pod runs. All others are evaluated. */
const harmless = new Set([
  'attach',
  'binding',
  'eviction',
  'exec',
  'log',
  'portforward',
  'proxy',
  'status',
]);

/**
 * Pod Security Admission: a namespace's labels select what its pods may do (k8s.io/pod-security-admission).
 * Labels are read from the store for each pod, so that a label counts as soon as it is written.
 */
export function podSecurity({
  namespaces,
  pods,
  configuration: { defaults, exemptions },
  templateOf = podTemplateOf,
}: PodSecurityOptions): AdmissionHook {
  const isExemptPod = ({ spec }: PodToCheck): boolean =>
    exemptions.runtimeClasses.has(spec.runtimeClassName ?? '');
  const isExempt = ({ namespace, user }: AdmissionRequest): boolean =>
    exemptions.namespaces.has(namespace) || exemptions.usernames.has(user.name);

  const policyOf = async (namespace: string): Promise<Policy> => {
    const found = await namespaces.get('', namespace).catch(absent);
    if (found === undefined) throw internalError(`failed to lookup namespace "${namespace}"`);
    return policyFromLabels(found.object().metadata.labels ?? {}, defaults).policy;
  };

  const checkNamespace = async ({
    descriptor,
    subresource,
    name,
    object,
    old,
    warn,
  }: AdmissionRequest): Promise<void> => {
    if (subresource !== '' || object === undefined) return;
    const labels = object.metadata.labels ?? {};
    const next = policyFromLabels(labels, defaults);
    const before =
      old === undefined ? undefined : policyFromLabels(old.metadata.labels ?? {}, defaults);
    // Invalid labels that were stored before must not block other changes.
    if (next.errors.length > 0 && !isDeepStrictEqual(next.errors, before?.errors))
      throw invalidObject(descriptor, name, next.errors);
    const isTightened = before === undefined || tightens(next.policy, before.policy);
    if (!isTightened) return;
    if (exemptions.namespaces.has(name)) {
      const ignored = ignoredPolicy(labels, next.policy, defaults);
      if (ignored !== undefined) {
        warn(
          `namespace "${name}" is exempt from Pod Security, and the policy (${ignored}) will be ignored`,
        );
      }
      return;
    }
    if (before === undefined) return;
    const warnings = await existingPodWarnings(name, next.policy.enforce, {
      pods,
      isExempt: isExemptPod,
    });
    for (const each of warnings) warn(each);
  };

  const checkPod = async (request: AdmissionRequest): Promise<void> => {
    const { descriptor, subresource, namespace, name, object, old, warn } = request;
    if (harmless.has(subresource) || object === undefined || isExempt(request)) return;
    const pod = object as Pod;
    if (old !== undefined && !isSignificantUpdate(pod, old as Pod)) return;
    if (isExemptPod(pod)) return;
    const { enforce, warn: warned } = await policyOf(namespace);
    const violations = evaluatePod(enforce, pod);
    if (violations.length > 0) {
      throw forbidden(
        descriptor,
        name,
        `violates PodSecurity "${policyText(enforce)}": ${detailsText(violations)}`,
      );
    }
    warnOf(pod, warned, warn);
  };

  const checkTemplate = async (request: AdmissionRequest): Promise<void> => {
    const { descriptor, subresource, namespace, object, warn } = request;
    if (subresource !== '' || object === undefined || !descriptor.namespaced) return;
    const template = templateOf(descriptor, object);
    if (template === undefined || isExempt(request) || isExemptPod(template)) return;
    warnOf(template, (await policyOf(namespace)).warn, warn);
  };

  return async request => {
    if (request.operation === 'delete') return;
    const { group, plural } = request.descriptor;
    if (group === '' && plural === 'namespaces') await checkNamespace(request);
    else if (group === '' && plural === 'pods') await checkPod(request);
    else await checkTemplate(request);
  };
}

function warnOf(pod: PodToCheck, policy: Policy['warn'], warn: AdmissionRequest['warn']): void {
  const violations = evaluatePod(policy, pod);
  if (violations.length > 0)
    warn(`would violate PodSecurity "${policyText(policy)}": ${detailsText(violations)}`);
}

/** Whether pods that met the old policy may violate the new one. */
function tightens({ enforce: next }: Policy, { enforce: old }: Policy): boolean {
  if (isDeepStrictEqual(next, old) || next.level === 'privileged') return false;
  return next.version !== old.version || isStricter(next.level, old.level);
}

/** The labelled policies that an exemption makes ineffective; undefined if there are none. */
function ignoredPolicy(
  labels: Readonly<Record<string, string>>,
  policy: Policy,
  defaults: Policy,
): string | undefined {
  if (isDeepStrictEqual(policy, defaults)) return undefined;
  const asked = modes.filter(
    mode =>
      policy[mode].level !== 'privileged' &&
      [levelLabel(mode), versionLabel(mode)].some(label => Object.hasOwn(labels, label)),
  );
  return asked.length === 0
    ? undefined
    : asked.map(mode => `${mode}=${policyText(policy[mode])}`).join(', ');
}
