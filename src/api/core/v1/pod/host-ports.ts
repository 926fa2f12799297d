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

/** Whether two pods cannot both have these ports. */
export const hostPortsConflict = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === '' || b.ip === '');

/** Whether a pod asks for a port on which the node itself listens, on any address. */
export const takesReservedPort = (
  wanted: readonly HostPort[],
  reserved: ReadonlySet<number>,
): boolean => wanted.some(({ port, protocol }) => protocol === 'TCP' && reserved.has(port));
