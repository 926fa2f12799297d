import type { Container } from './container-schema.ts';

/** A container and its path in the pod. */
export interface PlacedContainer {
  readonly container: Container;
  readonly at: string;
}

interface Port {
  readonly at: string;
  /** Its place among all ports. */
  readonly order: number;
  readonly hostIP: string;
  readonly hostPort: number;
}

/**
 * Each port with the earlier definitions that it conflicts with (pkg/api/pod/warnings.go). Only those are
 * looked at, so that the first warnings of very many ports take no longer than the ports.
 */
export function* portWarnings(containers: readonly PlacedContainer[]): Generator<string> {
  const groups = new Map<string, Port[]>();
  let order = 0;
  for (const { container, at } of containers) {
    for (const [i, definition] of (container.ports ?? []).entries()) {
      const { containerPort, protocol = 'TCP', hostIP = '', hostPort = 0 } = definition;
      const port = { at: `${at}.ports[${i}]`, order, hostIP, hostPort };
      const keys = groupKeys(`${containerPort}/${protocol}`);
      const groupsOfConflicts =
        hostPort === 0
          ? [keys.all]
          : [
              keys.ofHostPort(0),
              ...(hostIP === ''
                ? [keys.ofHostPort(hostPort)]
                : [keys.ofHostAddress(hostIP, hostPort), keys.ofHostAddress('', hostPort)]),
            ];
      const conflicts = groupsOfConflicts.map(key => groups.get(key) ?? []);
      for (const other of inOrder(conflicts)) {
        yield `${port.at}: ${conflictOf(port, other)} with ${other.at}`;
      }
      const memberOf = [keys.all, keys.ofHostPort(hostPort), keys.ofHostAddress(hostIP, hostPort)];
      for (const key of memberOf) addTo(groups, key, port);
      order += 1;
    }
  }
}

const groupKeys = (port: string) => ({
  all: port,
  ofHostPort: (hostPort: number): string => `${port} ${hostPort}`,
  ofHostAddress: (hostIP: string, hostPort: number): string => `${port} ${hostPort} ${hostIP}`,
});

function addTo(groups: Map<string, Port[]>, key: string, port: Port): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [port]);
  else group.push(port);
}

/** The ports of several groups, each group in order, as they were defined. */
function* inOrder(groups: readonly (readonly Port[])[]): Generator<Port> {
  const next = groups.map(() => 0);
  for (;;) {
    let first: Port | undefined;
    let from = 0;
    groups.forEach((group, i) => {
      const port = group[next[i] ?? 0];
      if (port === undefined || (first !== undefined && first.order < port.order)) return;
      first = port;
      from = i;
    });
    if (first === undefined) return;
    next[from] = (next[from] ?? 0) + 1;
    yield first;
  }
}

function conflictOf(a: Port, b: Port): string {
  if (a.hostIP === b.hostIP && a.hostPort === b.hostPort) return 'duplicate port definition';
  if (a.hostPort === 0 || b.hostPort === 0) return 'overlapping port definition';
  return 'dangerously ambiguous port definition';
}
