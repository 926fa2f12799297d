import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Container, PodSandbox } from '../../src/node/runtime/runtime.ts';
import { connectCri } from '../../src/node/runtime/cri/connect-cri.ts';
import { mountPoints } from '../../src/node/volumes/mounts.ts';
import { mustRun } from './run.ts';

/** What a Keylet with a containerd of its own has on this machine, seen from outside. */
export interface MachineOf {
  readonly sandboxes: readonly PodSandbox[];
  readonly containers: readonly Container[];
  /** Below `<data>/pods`, relative. */
  readonly mounts: readonly string[];
  /** Names in `<data>/pods`. */
  readonly podFolders: readonly string[];
  /** Names in /var/log/pods of the pods here. */
  readonly logFolders: readonly string[];
  /** Addresses that are taken. */
  readonly leases: readonly string[];
  /** Ids of sandboxes that have rules of the firewall, or that CNI remembers. */
  readonly networked: readonly string[];
  /** Ids of containers whose variables hold values of Secrets. */
  readonly values: readonly string[];
  /** By pid. */
  readonly shims: readonly number[];
}

const nothing = (): void => undefined;

/** @param podUids whose logs to look for, besides those of what runs */
export async function machineOf(dataDir: string, podUids: readonly string[]): Promise<MachineOf> {
  const state = await runtimeState(dataDir);
  const runtime = connectCri({
    endpoint: path.join(state, 'containerd.sock'),
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
  });
  try {
    const [sandboxes, containers] = await Promise.all([
      runtime.listPodSandboxes(),
      runtime.listContainers(),
    ]);
    const pods = path.join(dataDir, 'pods');
    return {
      sandboxes,
      containers,
      mounts: (await mountPoints())
        .filter(point => point.startsWith(`${pods}/`))
        .map(point => point.slice(pods.length + 1))
        .toSorted(),
      podFolders: (await readdir(pods)).toSorted(),
      logFolders: (await readdir('/var/log/pods'))
        .filter(name => podUids.some(uid => name.endsWith(`_${uid}`)))
        .toSorted(),
      leases: await leasesIn(state),
      values: await valuesIn(state),
      networked: await networkedBy(await bridgeOf(dataDir)),
      shims: await processes(line => line.includes('containerd-shim') && line.includes(state)),
    };
  } finally {
    await runtime.close();
  }
}

/** containerd's state folder, as its configuration has it. */
export async function runtimeState(dataDir: string): Promise<string> {
  const config = await readFile(path.join(dataDir, 'containerd/config.toml'), 'utf8');
  return /^state = "(.*)"$/m.exec(config)?.[1] ?? '';
}

/** Processes whose command line is like this; arguments end with a zero. */
export async function processes(matches: (commandLine: string) => boolean): Promise<number[]> {
  const found: number[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    if (matches(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
      found.push(Number(pid));
  }
  return found;
}

/** A folder a container. */
const valuesIn = async (state: string): Promise<string[]> =>
  (await readdir(path.join(state, 'values'))).toSorted();

async function leasesIn(state: string): Promise<string[]> {
  const folder = path.join(state, 'addresses');
  const networks = await readdir(folder).catch(() => []);
  const names = await Promise.all(networks.map(each => readdir(path.join(folder, each))));
  return names
    .flat()
    .filter(name => /^\d+\.\d+\.\d+\.\d+$/.test(name))
    .toSorted();
}

/** Name of the bridge of a data folder's pods. */
export async function bridgeOf(dataDir: string): Promise<string> {
  const text = await readFile(path.join(dataDir, 'pod-network.json'), 'utf8');
  return (JSON.parse(text) as { bridge: string }).bridge;
}

const cniResults = '/var/lib/cni/results';

/** Ids of sandboxes that have something of this network. */
export async function networkedBy(bridge: string): Promise<string[]> {
  const rules = await mustRun('iptables-save', ['-t', 'nat']);
  const ruled = [...rules.matchAll(new RegExp(`name: ..${bridge}.. id: ..([0-9a-f]{64})`, 'g'))];
  const remembered = (await readdir(cniResults))
    .filter(name => name.startsWith(`${bridge}-`))
    .map(name => name.split('-')[1] ?? '');
  return [...new Set([...ruled.map(([, id = '']) => id), ...remembered])].toSorted();
}
