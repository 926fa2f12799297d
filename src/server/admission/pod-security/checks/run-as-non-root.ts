import type { Check, CheckPod } from '../check.ts';
import { hasUserNamespace, namesWhere } from '../containers.ts';
import { containersNamed, setters } from '../wording.ts';

const reason = 'runAsNonRoot != true';

const check: CheckPod = ({ spec }) => {
  const ofPod = spec.securityContext?.runAsNonRoot;
  const refusing = namesWhere(
    spec,
    ({ securityContext }) => securityContext?.runAsNonRoot === false,
  );
  if (ofPod === false || refusing.length > 0) {
    const who = setters(ofPod === false, refusing);
    return { reason, detail: `${who} must not set securityContext.runAsNonRoot=false` };
  }
  const silent =
    ofPod === true
      ? []
      : namesWhere(spec, ({ securityContext }) => securityContext?.runAsNonRoot === undefined);
  return silent.length === 0
    ? undefined
    : {
        reason,
        detail: `pod or ${containersNamed(silent)} must set securityContext.runAsNonRoot=true`,
      };
};

/** Containers must refuse to run as root, whatever their image says, except in user namespaces. */
export const runAsNonRoot: Check = {
  id: 'runAsNonRoot',
  level: 'restricted',
  versions: [
    { since: 0, check },
    { since: 35, check: pod => (hasUserNamespace(pod.spec) ? undefined : check(pod)) },
  ],
};
