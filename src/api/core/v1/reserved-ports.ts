import type { Node } from './node.ts';

/** TCP ports of the node that no pod may take, as a node's agent publishes them: `6443,34567`. */
export const reservedPortsAnnotation = 'keylet.dev/reserved-host-ports';

export const reservedPortsText = (ports: ReadonlySet<number>): string =>
  [...ports].toSorted((a, b) => a - b).join(',');

export function reservedPortsOf({ metadata, status }: Node): Set<number> {
  const published = (metadata.annotations?.[reservedPortsAnnotation] ?? '').split(',').map(Number);
  const ofAgent = status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0;
  return new Set([...published, ofAgent].filter(port => port > 0));
}
