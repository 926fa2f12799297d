import type { Check, PodToCheck, VersionedCheck, Violation } from './check.ts';
import { checks as allChecks } from './checks/index.ts';
import type { LevelVersion } from './policy.ts';

/** Everything a level forbids about a pod, in Kubernetes' order; empty if the pod is allowed. */
export function evaluatePod(
  { level, version }: LevelVersion,
  pod: PodToCheck,
  checks: readonly Check[] = allChecks,
): Violation[] {
  if (level === 'privileged') return [];
  const minor = version === 'latest' ? Number.POSITIVE_INFINITY : version;
  const inForce = checks
    .filter(check => level === 'restricted' || check.level === 'baseline')
    .flatMap(({ id, versions }) => {
      const rules = versions.findLast(({ since }) => since <= minor);
      return rules === undefined ? [] : [{ id, rules }];
    });
  const overridden = new Set(inForce.flatMap(({ rules }) => overridesOf(rules)));
  return inForce.flatMap(({ id, rules }) => (overridden.has(id) ? [] : (rules.check(pod) ?? [])));
}

const overridesOf = ({ overrides = [] }: VersionedCheck): readonly string[] => overrides;

/** `host namespaces, privileged` */
export const reasonsText = (violations: readonly Violation[]): string =>
  violations.map(({ reason }) => reason).join(', ');

/** `host namespaces (hostPID=true), privileged (container "a" must not …)` */
export const detailsText = (violations: readonly Violation[]): string =>
  violations
    .map(({ reason, detail }) => (detail === '' ? reason : `${reason} (${detail})`))
    .join(', ');
