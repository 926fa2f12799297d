import type { Check, CheckPod } from '../check.ts';
import { namesWhere } from '../containers.ts';
import { containersNamed } from '../wording.ts';

const check: CheckPod = ({ spec }) => {
  const bad = namesWhere(spec, ({ securityContext }) => securityContext?.privileged === true);
  return bad.length === 0
    ? undefined
    : {
        reason: 'privileged',
        detail: `${containersNamed(bad)} must not set securityContext.privileged=true`,
      };
};

/** Containers may not be privileged. */
export const privileged: Check = {
  id: 'privileged',
  level: 'baseline',
  versions: [{ since: 0, check }],
};
