import type { Check, CheckPod } from '../check.ts';
import { hasUserNamespace, namesWhere } from '../containers.ts';
import { setters } from '../wording.ts';

const check: CheckPod = ({ spec }) => {
  const ofPod = spec.securityContext?.runAsUser === 0;
  const bad = namesWhere(spec, ({ securityContext }) => securityContext?.runAsUser === 0);
  return ofPod || bad.length > 0
    ? { reason: 'runAsUser=0', detail: `${setters(ofPod, bad)} must not set runAsUser=0` }
    : undefined;
};

/** Containers may not ask to run as root, except in user namespaces. */
export const runAsUser: Check = {
  id: 'runAsUser',
  level: 'restricted',
  versions: [
    { since: 23, check },
    { since: 35, check: pod => (hasUserNamespace(pod.spec) ? undefined : check(pod)) },
  ],
};
