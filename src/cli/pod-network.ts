import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { writeDurably } from '../store/durable-file.ts';
import { writeFileAtomically } from './atomic-file.ts';
import { UserError } from './user-error.ts';

/** The pods' addresses and bridge: chosen once, kept in the data folder. */
export interface PodNetwork {
  /** A /24, such as `10.42.0.0/24`. */
  readonly cidr: string;
  readonly bridge: string;
}

/** Who has which network, for as long as the machine is up: a file a network, holding its data folder. */
const claimsDir = '/run/keylet/networks';
const fileIn = (dataDir: string): string => path.join(dataDir, 'pod-network.json');

/**
 * The network of this data folder. A free /24 of 10.42.0.0/16 is taken, so that two Keylets (or a
 * Keylet beside another cluster) do not cross.
 * @throws UserError when the one that was asked for is another's, or none is free
 */
export async function podNetwork(dataDir: string, asked: string | undefined): Promise<PodNetwork> {
  const folder = path.resolve(dataDir);
  const kept = (await networkOf(folder))?.cidr;
  const candidates =
    asked !== undefined
      ? [asked]
      : [...(kept === undefined ? [] : [kept]), ...(await freeNetworks())];
  for (const cidr of candidates) {
    const network = { cidr, bridge: bridgeOf(cidr) };
    // Before the claim: one whose folder says otherwise counts as given up.
    if (cidr !== kept) await writeDurably(fileIn(folder), JSON.stringify(network));
    if (await claim(cidr, folder)) return network;
  }
  throw new UserError(
    asked === undefined
      ? 'every network of 10.42.0.0/16 is in use. Choose another with --pod-cidr'
      : `another Keylet's pods are on the bridge ${bridgeOf(asked)} of ${asked}. Choose another third number with --pod-cidr`,
  );
}

const bridgeOf = (cidr: string): string => `keylet${cidr.split('.')[2] ?? '0'}`;

async function networkOf(folder: string): Promise<PodNetwork | undefined> {
  try {
    return JSON.parse(await readFile(fileIn(folder), 'utf8')) as PodNetwork;
  } catch {
    return undefined;
  }
}

/** @returns whether the network is this folder's from now on */
async function claim(cidr: string, folder: string): Promise<boolean> {
  await mkdir(claimsDir, { recursive: true, mode: 0o711 });
  const file = path.join(claimsDir, bridgeOf(cidr));
  try {
    await writeFile(file, folder, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const owner = await readFile(file, 'utf8');
  // A folder that was removed, or that went to another network, has given this one up.
  if (owner !== folder && (await networkOf(owner))?.bridge === bridgeOf(cidr)) return false;
  await writeFileAtomically(file, folder, 0o600);
  return true;
}

/** Networks that no route of this machine leads to. /proc/net/route is little-endian hex. */
async function freeNetworks(): Promise<string[]> {
  const used = new Set<number>();
  for (const line of (await readFile('/proc/net/route', 'utf8')).split('\n').slice(1)) {
    const destination = line.split('\t')[1] ?? '';
    if (destination.toLowerCase().endsWith('2a0a'))
      used.add(Number.parseInt(destination.slice(2, 4), 16));
  }
  return Array.from({ length: 256 }, (_, octet) => octet)
    .filter(octet => !used.has(octet))
    .map(octet => `10.42.${octet}.0/24`);
}
