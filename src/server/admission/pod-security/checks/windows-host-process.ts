import type { Check, CheckPod } from '../check.ts';
import { namesWhere } from '../containers.ts';
import { setters } from '../wording.ts';

const check: CheckPod = ({ spec }) => {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess === true;
  const bad = namesWhere(
    spec,
    ({ securityContext }) => securityContext?.windowsOptions?.hostProcess === true,
  );
  return ofPod || bad.length > 0
    ? {
        reason: 'hostProcess',
        detail: `${setters(ofPod, bad)} must not set securityContext.windowsOptions.hostProcess=true`,
      }
    : undefined;
};

/** Windows containers may not run as processes of the node. */
export const windowsHostProcess: Check = {
  id: 'windowsHostProcess',
  level: 'baseline',
  versions: [{ since: 0, check }],
};
