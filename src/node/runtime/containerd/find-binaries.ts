import { access, constants } from 'node:fs/promises';
import path from 'node:path';

export interface Binaries {
  readonly containerd: string;
  readonly ctr: string;
  readonly runc: string;
  readonly iptables: string;
  readonly cniBinDir: string;
}

const folders = [
  '/usr/local/bin',
  '/usr/bin',
  '/usr/local/sbin',
  '/usr/sbin',
  '/sbin',
  '/bin',
  '/usr/lib/keylet',
];
const cniFolders = ['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni'];

/** @throws Error that names what is missing and the command that installs it */
export async function findBinaries(): Promise<Binaries> {
  const search = [...(process.env['PATH'] ?? '').split(':').filter(Boolean), ...folders];
  const find = (name: string): Promise<string | undefined> =>
    first(search.map(folder => path.join(folder, name)));
  const [containerd, ctr, runc, iptables, bridge] = await Promise.all([
    find('containerd'),
    find('ctr'),
    find('runc'),
    find('iptables'),
    first(cniFolders.map(folder => path.join(folder, 'bridge'))),
  ]);
  const missing = [
    ...(containerd === undefined || ctr === undefined ? ['containerd'] : []),
    ...(runc === undefined ? ['runc'] : []),
    ...(bridge === undefined ? ['containernetworking-plugins'] : []),
    ...(iptables === undefined ? ['iptables'] : []),
  ];
  if (
    containerd === undefined ||
    ctr === undefined ||
    runc === undefined ||
    iptables === undefined ||
    bridge === undefined ||
    missing.length > 0
  ) {
    throw new Error(
      `missing: ${missing.join(', ')}. On Debian: apt-get install ${missing.join(' ')}`,
    );
  }
  return { containerd, ctr, runc, iptables, cniBinDir: path.dirname(bridge) };
}

async function first(files: readonly string[]): Promise<string | undefined> {
  for (const file of files) {
    const there = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (there) return file;
  }
  return undefined;
}
