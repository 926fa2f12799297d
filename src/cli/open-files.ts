import { readFileSync } from 'node:fs';

/** Enough for the modules, the store, the runtime, pods and a few hundred connections. */
const minimum = 1024;
/** Connections never take these: files, child processes and the runtime need them. */
const reserved = 512;
const maxNodeConnections = 1024;

/** What this process may open. Node has already raised the soft limit to the hard one. */
function openFileLimit(): number {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const soft = /^Max open files\s+(\S+)/m.exec(limits)?.[1];
  return soft === undefined || soft === 'unlimited' ? Infinity : Number(soft);
}

/** Why Keylet would fail at its work, if it may open too few. */
export function tooFewFiles(limit = openFileLimit()): string | undefined {
  return limit >= minimum
    ? undefined
    : `this process may open ${limit} files, and Keylet needs ${minimum} or more. Raise the limit: ulimit -n 65536, or LimitNOFILE=65536 in a systemd unit`;
}

/** Open at a time; absent: any number. */
export interface ConnectionLimits {
  readonly api?: number;
  readonly node?: number;
}

/** How many connections there is room for. */
export function connectionLimits(limit = openFileLimit()): ConnectionLimits {
  if (limit === Infinity) return {};
  const free = limit - reserved;
  const node = Math.min(maxNodeConnections, Math.floor(free / 4));
  return { api: free - node, node };
}
