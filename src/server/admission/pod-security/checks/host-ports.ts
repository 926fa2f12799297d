import type { Check, CheckPod } from '../check.ts';
import { namesWhere } from '../containers.ts';
import { containersNamed, distinct, plural } from '../wording.ts';

const check: CheckPod = ({ spec }) => {
  const ports: string[] = [];
  const bad = namesWhere(spec, container => {
    const used = (container.ports ?? []).flatMap(({ hostPort = 0 }) =>
      hostPort === 0 ? [] : [String(hostPort)],
    );
    ports.push(...used);
    return used.length > 0;
  });
  if (bad.length === 0) return undefined;
  const all = distinct(ports);
  const use = plural(bad.length, 'uses', 'use');
  return {
    reason: 'hostPort',
    detail: `${containersNamed(bad)} ${use} ${plural(all.length, 'hostPort', 'hostPorts')} ${all.join(', ')}`,
  };
};

/** Pods may not use ports of the node. */
export const hostPorts: Check = {
  id: 'hostPorts',
  level: 'baseline',
  versions: [{ since: 0, check }],
};
