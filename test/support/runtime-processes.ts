import { readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { mountPoints } from '../../src/node/volumes/mounts.ts';
import { eventually } from './eventually.ts';
import { bridgeOf, processes, runtimeState } from './machine-of.ts';
import { mustRun, run } from './run.ts';

/** The first process of a container or a sandbox, by its id. @throws Error where there is none */
export async function processOf(id: string): Promise<number> {
  for (const pid of (await readdir('/proc')).filter(name => /^\d+$/.test(name))) {
    const cgroup = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
    if (!cgroup.includes(id)) continue;
    // Pids wrap around: its children may have lower ones.
    if (/^NSpid:.*\t1$/m.test(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')))
      return Number(pid);
  }
  throw new Error(`Nothing runs in ${id}`);
}

/** The containerd of a data folder. */
export async function containerdOf(dataDir: string): Promise<number> {
  const config = path.join(dataDir, 'containerd/config.toml');
  const [pid] = await processes(line => line.endsWith(`containerd\0--config\0${config}\0`));
  if (pid === undefined) throw new Error(`No containerd runs on ${dataDir}`);
  return pid;
}

export async function shimsOf(dataDir: string): Promise<number[]> {
  const state = await runtimeState(dataDir);
  return processes(line => line.includes('containerd-shim') && line.includes(state));
}

export async function parentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8');
  return Number(status.slice(status.lastIndexOf(')') + 2).split(' ')[1]);
}

export async function killAndWait(pids: readonly number[]): Promise<void> {
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await eventually(async () => (await Promise.all(pids.map(hasEnded))).every(Boolean));
}

const hasEnded = async (pid: number): Promise<boolean> =>
  / Z /.test(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ' Z '));

/**
 * What a boot leaves of a data folder whose Keylet was killed, as near as it can be had: no process, no mount,
 * no network, nothing of what is in memory. @param sandboxIds all that there are
 */
export async function asAfterBoot(dataDir: string, sandboxIds: readonly string[]): Promise<void> {
  const networks = await Promise.all(
    sandboxIds.map(async id => readlink(`/proc/${await processOf(id)}/ns/net`)),
  );
  const shims = await shimsOf(dataDir);
  const children = await processesUnder(shims);
  await killAndWait([await containerdOf(dataDir), ...shims, ...children]);

  const state = await runtimeState(dataDir);
  const points = (await mountPoints()).filter(point =>
    [dataDir, state].some(folder => `${point}/`.startsWith(`${folder}/`)),
  );
  for (const point of points.toReversed()) await mustRun('umount', ['-l', point]);
  await rm(state, { recursive: true, force: true });
  for (const name of await readdir('/run/netns')) {
    const file = path.join('/run/netns', name);
    if (networks.includes(`net:[${(await stat(file)).ino}]`))
      await mustRun('ip', ['netns', 'delete', name]);
  }
  const bridge = await bridgeOf(dataDir);
  await mustRun('ip', ['link', 'delete', bridge]);
  await rm(`/run/keylet/networks/${bridge}`);
  await forgetRules(bridge);
}

async function processesUnder(parents: readonly number[]): Promise<number[]> {
  const found: number[] = [];
  for (const pid of await processes(() => true))
    if (parents.includes(await parentOf(pid).catch(() => 0))) found.push(pid);
  return found;
}

/** The firewall's rules of a network. */
async function forgetRules(bridge: string): Promise<void> {
  const rules = (await mustRun('iptables-save', ['-t', 'nat'])).split('\n');
  const ours = rules.filter(rule => rule.startsWith('-A') && rule.includes(`"${bridge}\\"`));
  for (const rule of ours)
    await mustRun('sh', ['-c', `iptables -t nat ${rule.replace('-A', '-D')}`]);
  const chains = new Set(ours.map(rule => /^-A (CNI-\w+)/.exec(rule)?.[1]));
  for (const chain of chains)
    if (chain !== undefined) await run('iptables', ['-t', 'nat', '-X', chain]);
}
