import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomically } from './atomic-file.ts';

/** The pods' addresses and bridge: chosen once, kept in the data folder. */
export interface PodNetwork {
  /** A /24, such as `10.42.0.0/24`. */
  readonly cidr: string;
  readonly bridge: string;
}

/**
 * The network of this data folder. A free /24 of 10.42.0.0/16 is taken, so that two Keylets (or a
 * Keylet beside another cluster) do not cross.
 */
export async function podNetwork(dataDir: string, asked: string | undefined): Promise<PodNetwork> {
  const file = path.join(dataDir, 'pod-network.json');
  const kept = await readFile(file, 'utf8').catch(() => undefined);
  if (kept !== undefined) {
    const network = JSON.parse(kept) as PodNetwork;
    if (asked === undefined || asked === network.cidr) return network;
  }
  const cidr = asked ?? firstFree(usedOctets(await readFile('/proc/net/route', 'utf8')));
  const network = { cidr, bridge: `keylet${cidr.split('.')[2] ?? '0'}` };
  await writeFileAtomically(file, JSON.stringify(network), 0o600);
  return network;
}

/** Third octets N for which a route to 10.42.N.0 stands. /proc/net/route is little-endian hex. */
function usedOctets(routes: string): Set<number> {
  const used = new Set<number>();
  for (const line of routes.split('\n').slice(1)) {
    const destination = line.split('\t')[1] ?? '';
    if (destination.toLowerCase().endsWith('2a0a')) {
      used.add(Number.parseInt(destination.slice(2, 4), 16));
    }
  }
  return used;
}

function firstFree(used: ReadonlySet<number>): string {
  for (let octet = 0; octet < 256; octet += 1) {
    if (!used.has(octet)) return `10.42.${octet}.0/24`;
  }
  throw new Error('every network of 10.42.0.0/16 is in use; choose one with --pod-cidr');
}
