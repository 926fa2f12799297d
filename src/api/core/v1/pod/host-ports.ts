import type { Pod } from './pod-schema.ts';

/** A port of the node that a pod asks for. */
export interface HostPort {
  readonly port: number;
  readonly protocol: string;
  /** Empty for all addresses of the node. */
  readonly ip: string;
}

/**
 * Every port of the node that a pod takes, including those of its init containers, which are mapped too.
 * With `hostNetwork` the container's port is the node's, whatever `hostPort` says.
 */
export function hostPortsOf({ spec }: Pick<Pod, 'spec'>): HostPort[] {
  return [...(spec.initContainers ?? []), ...(spec.containers ?? [])].flatMap(({ ports = [] }) =>
    ports.flatMap(({ containerPort, hostPort, protocol, hostIP }) => {
      const numbers = new Set([
        hostPort ?? 0,
        ...(spec.hostNetwork === true ? [containerPort] : []),
      ]);
      numbers.delete(0);
      return [...numbers].map(port => ({
        port,
        protocol: protocol || 'TCP',
        ip: isEveryAddress(hostIP ?? '') ? '' : (hostIP ?? ''),
      }));
    }),
  );
}

const isEveryAddress = (ip: string): boolean => ['', '0.0.0.0', '::'].includes(ip);

/** The host ports of several pods. Each question and each change costs the same, however many there are. */
export interface HostPorts {
  add(port: HostPort): void;
  remove(port: HostPort): void;
  /** Whether a further pod cannot have this port. */
  isTaken(wanted: HostPort): boolean;
}

export function createHostPorts(): HostPorts {
  /** port and protocol → address → how many pods have it */
  const taken = new Map<string, Map<string, number>>();
  const keyOf = ({ port, protocol }: HostPort): string => `${protocol}/${port}`;
  return {
    add(port) {
      const counts = taken.get(keyOf(port)) ?? new Map<string, number>();
      taken.set(keyOf(port), counts.set(port.ip, (counts.get(port.ip) ?? 0) + 1));
    },
    remove(port) {
      const counts = taken.get(keyOf(port));
      const left = (counts?.get(port.ip) ?? 0) - 1;
      if (left > 0) counts?.set(port.ip, left);
      else counts?.delete(port.ip);
      if (counts?.size === 0) taken.delete(keyOf(port));
    },
    isTaken(wanted) {
      const counts = taken.get(keyOf(wanted));
      // One on all addresses conflicts with every other.
      return counts !== undefined && (wanted.ip === '' || counts.has('') || counts.has(wanted.ip));
    },
  };
}

/** Whether a pod asks for a port on which the node itself listens, on any address. */
export const takesReservedPort = (
  wanted: readonly HostPort[],
  reserved: ReadonlySet<number>,
): boolean => wanted.some(({ port, protocol }) => protocol === 'TCP' && reserved.has(port));
