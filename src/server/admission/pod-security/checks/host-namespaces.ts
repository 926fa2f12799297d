import type { Check, CheckPod } from '../check.ts';

const fields = ['hostNetwork', 'hostPID', 'hostIPC'] as const;

const check: CheckPod = ({ spec }) => {
  const shared = fields.filter(each => spec[each] === true);
  return shared.length === 0
    ? undefined
    : { reason: 'host namespaces', detail: shared.map(each => `${each}=true`).join(', ') };
};

/** Pods may not share the node's network, process or IPC namespace. */
export const hostNamespaces: Check = {
  id: 'hostNamespaces',
  level: 'baseline',
  versions: [{ since: 0, check }],
};
