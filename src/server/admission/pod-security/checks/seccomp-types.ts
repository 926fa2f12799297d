import type { CheckPod } from '../check.ts';
import { namesWhere } from '../containers.ts';
import { distinct, quoted, setters } from '../wording.ts';

export const isAllowedSeccompType = (type: string | undefined): boolean =>
  type === 'RuntimeDefault' || type === 'Localhost';

/** Finds profiles of types that only the privileged level allows. */
export const badSeccompTypes: CheckPod = ({ spec }) => {
  const types: string[] = [];
  const isBad = (profile: { type?: string } | undefined): boolean => {
    if (profile === undefined || isAllowedSeccompType(profile.type)) return false;
    types.push(profile.type ?? '');
    return true;
  };
  const ofPod = isBad(spec.securityContext?.seccompProfile);
  const bad = namesWhere(spec, ({ securityContext }) => isBad(securityContext?.seccompProfile));
  return ofPod || bad.length > 0
    ? {
        reason: 'seccompProfile',
        detail: `${setters(ofPod, bad)} must not set securityContext.seccompProfile.type to ${quoted(distinct(types))}`,
      }
    : undefined;
};
