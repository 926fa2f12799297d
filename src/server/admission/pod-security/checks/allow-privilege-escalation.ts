import type { Check, CheckPod } from '../check.ts';
import { isWindows, namesWhere } from '../containers.ts';
import { containersNamed } from '../wording.ts';

const since8: CheckPod = ({ spec }) => {
  const bad = namesWhere(
    spec,
    ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false,
  );
  return bad.length === 0
    ? undefined
    : {
        reason: 'allowPrivilegeEscalation != false',
        detail: `${containersNamed(bad)} must set securityContext.allowPrivilegeEscalation=false`,
      };
};

/** Processes may not gain more privileges than their parent, for example through setuid files. */
export const allowPrivilegeEscalation: Check = {
  id: 'allowPrivilegeEscalation',
  level: 'restricted',
  versions: [
    { since: 8, check: since8 },
    { since: 25, check: pod => (isWindows(pod.spec) ? undefined : since8(pod)) },
  ],
};
