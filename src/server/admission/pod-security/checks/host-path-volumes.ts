import type { Check, CheckPod } from '../check.ts';
import { plural, quoted } from '../wording.ts';

const check: CheckPod = ({ spec }) => {
  const bad = (spec.volumes ?? []).flatMap(({ name, hostPath }) =>
    hostPath === undefined ? [] : [name],
  );
  return bad.length === 0
    ? undefined
    : {
        reason: 'hostPath volumes',
        detail: `${plural(bad.length, 'volume', 'volumes')} ${quoted(bad)}`,
      };
};

/** Pods may not mount files of the node. */
export const hostPathVolumes: Check = {
  id: 'hostPathVolumes',
  level: 'baseline',
  versions: [{ since: 0, check }],
};
