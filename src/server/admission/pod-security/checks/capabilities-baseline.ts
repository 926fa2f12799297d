import type { Check, CheckPod } from '../check.ts';
import { namesWhere } from '../containers.ts';
import { containersNamed, distinct, quoted } from '../wording.ts';

/** Granted by container runtimes by default. */
const allowed = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);

const check: CheckPod = ({ spec }) => {
  const added: string[] = [];
  const bad = namesWhere(spec, ({ securityContext }) => {
    const more = (securityContext?.capabilities?.add ?? []).filter(each => !allowed.has(each));
    added.push(...more);
    return more.length > 0;
  });
  return bad.length === 0
    ? undefined
    : {
        reason: 'non-default capabilities',
        detail: `${containersNamed(bad)} must not include ${quoted(distinct(added))} in securityContext.capabilities.add`,
      };
};

/** Containers may not add capabilities beyond the runtime's defaults. */
export const capabilitiesBaseline: Check = {
  id: 'capabilities_baseline',
  level: 'baseline',
  versions: [{ since: 0, check }],
};
