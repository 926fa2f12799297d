import type { Check, CheckPod } from '../check.ts';
import { isWindows, namesWhere } from '../containers.ts';
import { containersNamed } from '../wording.ts';
import { seccompProfileBaseline } from './seccomp-profile-baseline.ts';
import { badSeccompTypes } from './seccomp-types.ts';

const since19: CheckPod = pod => {
  const bad = badSeccompTypes(pod);
  if (bad !== undefined) return bad;
  const silent =
    pod.spec.securityContext?.seccompProfile === undefined
      ? namesWhere(pod.spec, ({ securityContext }) => securityContext?.seccompProfile === undefined)
      : [];
  return silent.length === 0
    ? undefined
    : {
        reason: 'seccompProfile',
        detail: `pod or ${containersNamed(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
      };
};

const overrides = [seccompProfileBaseline.id];

/** Containers must have a seccomp profile. */
export const seccompProfileRestricted: Check = {
  id: 'seccompProfile_restricted',
  level: 'restricted',
  versions: [
    { since: 19, check: since19, overrides },
    { since: 25, check: pod => (isWindows(pod.spec) ? undefined : since19(pod)), overrides },
  ],
};
