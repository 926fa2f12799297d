import type { Check, CheckPod } from '../check.ts';
import { hasUserNamespace, namesWhere } from '../containers.ts';
import { containersNamed, distinct, quoted } from '../wording.ts';

const check: CheckPod = ({ spec }) => {
  const types: string[] = [];
  const bad = namesWhere(spec, ({ securityContext }) => {
    const type = securityContext?.procMount;
    if (type === undefined || type === 'Default') return false;
    types.push(type);
    return true;
  });
  return bad.length === 0
    ? undefined
    : {
        reason: 'procMount',
        detail: `${containersNamed(bad)} must not set securityContext.procMount to ${quoted(distinct(types))}`,
      };
};

/** Containers may not unmask /proc, except in user namespaces. */
export const procMount: Check = {
  id: 'procMount',
  level: 'baseline',
  versions: [
    { since: 0, check },
    { since: 35, check: pod => (hasUserNamespace(pod.spec) ? undefined : check(pod)) },
  ],
};

/** Containers may not unmask /proc, even in user namespaces. */
export const procMountRestricted: Check = {
  id: 'procMount_restricted',
  level: 'restricted',
  versions: [{ since: 35, check, overrides: [procMount.id] }],
};
