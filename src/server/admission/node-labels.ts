import { memberOf } from '../../machinery/member.ts';
type Labels = Readonly<Record<string, string>>;

/** What an agent tells of its machine. */
const ofTheMachine = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'node.kubernetes.io/instance-type',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'beta.kubernetes.io/instance-type',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
]);

/**
 * Labels that differ and are not a node's to set: with those of Kubernetes' own it could draw pods
 * to itself. @returns their keys, sorted
 */
export function forbiddenNodeLabels(next: Labels = {}, old: Labels = {}): string[] {
  const keys = new Set([...Object.keys(next), ...Object.keys(old)]);
  return [...keys]
    .filter(key => memberOf(next, key) !== memberOf(old, key) && isForbidden(key))
    .toSorted();
}

function isForbidden(key: string): boolean {
  const domain = key.includes('/') ? (key.split('/')[0] ?? '') : '';
  if (isWithin(domain, 'node-restriction.kubernetes.io')) return true;
  const ofKubernetes = isWithin(domain, 'kubernetes.io') || isWithin(domain, 'k8s.io');
  const ofTheAgent =
    ofTheMachine.has(key) ||
    isWithin(domain, 'kubelet.kubernetes.io') ||
    isWithin(domain, 'node.kubernetes.io');
  return ofKubernetes && !ofTheAgent;
}

const isWithin = (domain: string, parent: string): boolean =>
  domain === parent || domain.endsWith(`.${parent}`);
