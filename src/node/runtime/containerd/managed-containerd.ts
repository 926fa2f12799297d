import { createHash } from 'node:crypto';
import {
  access,
  mkdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../../machinery/log.ts';
import { createTmpfs, mountPoints } from '../../volumes/mounts.ts';
import type { ImageService } from '../image-service.ts';
import type { SandboxRuntime } from '../sandbox-runtime.ts';
import { connectCri } from '../cri/connect-cri.ts';
import { removeStrayValues } from './confidential-values.ts';
import { cniConflist, containerdConfig } from './config.ts';
import { keepContainerd } from './containerd-process.ts';
import { findBinaries } from './find-binaries.ts';
import { importImage } from './import-image.ts';
import { pauseArchive, pauseImageName } from './pause-image.ts';
import { runcWrapper } from './runc-wrapper.ts';
import { scrubLog } from './scrub-log.ts';
import { removeStrayNetwork } from './stray-network.ts';

export interface ManagedContainerdOptions {
  readonly dataDir: string;
  readonly podNetwork: { readonly cidr: string; readonly bridge: string };
  readonly registryHostsDir?: string;
  readonly log: Logger;
}

export interface ManagedContainerd {
  /** Path of the CRI socket. */
  readonly endpoint: string;
  readonly pid: number;
  /** Where what containers may hold and containerd may not keep is put for its runc: in memory. */
  readonly valuesDir: string;
  /** Takes words out of the end of its log. */
  scrubLog(words: readonly string[]): Promise<void>;
  /** Ends containerd itself; what its shims run goes on. */
  close(): Promise<void>;
  /** After `close`: whether no pod is left that a successor could go on with. */
  isIdle(): Promise<boolean>;
  /** After `close` and with no sandbox left: takes away mounts, bridge and state. */
  cleanUp(): Promise<void>;
}

const readyWithinMs = 20_000;

/** A containerd of Keylet's own, or the one that a killed Keylet left behind. */
export async function startManagedContainerd(
  options: ManagedContainerdOptions,
): Promise<ManagedContainerd> {
  const { dataDir, podNetwork, log } = options;
  const binaries = await findBinaries();
  const base = path.resolve(dataDir, 'containerd');
  // A socket's path has room for 107 bytes; data folders may be deep.
  const state = `/run/keylet/${createHash('sha256').update(path.resolve(dataDir)).digest('hex').slice(0, 12)}`;
  const socket = `${state}/containerd.sock`;
  const cniConfDir = path.join(base, 'cni');
  const registryHostsDir = options.registryHostsDir ?? path.join(base, 'certs.d');
  await Promise.all([
    mkdir(cniConfDir, { recursive: true }),
    mkdir(registryHostsDir, { recursive: true }),
    placeInMemory(state),
  ]);
  // containerd cannot take every name where it puts these: it gets them by names that are always plain and short.
  const root = path.join(base, 'root');
  const links = { root: path.join(state, 'root'), hosts: path.join(state, 'certs.d') };
  await mkdir(root, { recursive: true, mode: 0o711 });
  await Promise.all([keepLink(links.root, root), keepLink(links.hosts, registryHostsDir)]);
  const valuesDir = path.join(state, 'values');
  const runc = path.join(base, 'runc');
  await Promise.all([
    mkdir(valuesDir, { recursive: true, mode: 0o700 }),
    keepFile(runc, runcWrapper(binaries.runc, valuesDir), 0o755),
  ]);
  const configFile = path.join(base, 'config.toml');
  const config = await containerdConfig({
    root: links.root,
    state,
    socket,
    runc,
    cniConfDir,
    cniBinDir: binaries.cniBinDir,
    registryHostsDir: links.hosts,
  });
  await keepFile(
    path.join(cniConfDir, '10-keylet.conflist'),
    cniConflist(podNetwork.bridge, podNetwork.cidr, `${state}/addresses`),
  );
  const changed = await keepFile(configFile, config);

  const logFile = path.join(base, 'containerd.log');
  const containerd = await keepContainerd({
    binary: binaries.containerd,
    configFile,
    logFile,
    socket,
    // Where its shims put what they tell runc to run.
    temporaryDir: state,
    found: changed ? 'end' : 'adopt',
    log,
  });
  try {
    await ready(socket, containerd.pid, logFile, log);
    const cri = connectCri({ endpoint: socket, log });
    try {
      await Promise.all([
        havePauseImage(cri, binaries.ctr, socket),
        removeStrayValues(cri, valuesDir),
        removeNetworkOfGone(cri, { ...podNetwork, iptables: binaries.iptables }).catch(
          (error: unknown) =>
            log.warn('Rules of sandboxes that are gone stay', { error: String(error) }),
        ),
      ]);
    } finally {
      await cri.close();
    }
  } catch (error) {
    await containerd.close();
    throw error;
  }

  return {
    endpoint: socket,
    get pid() {
      return containerd.pid;
    },
    valuesDir,
    scrubLog: words => scrubLog(logFile, words),
    close: () => containerd.close(),
    async isIdle() {
      const { shimsOf } = await import('./clean-up.ts');
      return (await shimsOf(state)).length === 0;
    },
    async cleanUp() {
      const { cleanUpMachine } = await import('./clean-up.ts');
      const network = { ...podNetwork, live: new Set<string>() };
      await removeStrayNetwork(binaries.iptables, network).catch(() => undefined);
      await cleanUpMachine({ state, bridge: podNetwork.bridge, root });
    },
  };
}

/** Others may read it at any time: they find the old or the new. @returns whether it is another than before */
async function keepFile(file: string, content: string, mode = 0o644): Promise<boolean> {
  if ((await readFile(file, 'utf8').catch(() => undefined)) === content) return false;
  await writeFile(`${file}.next`, content, { mode });
  await rename(`${file}.next`, file);
  return true;
}

async function keepLink(link: string, target: string): Promise<void> {
  if ((await readlink(link).catch(() => undefined)) === target) return;
  const next = `${link}.next`;
  await rm(next, { force: true });
  await symlink(target, next);
  await rename(next, link);
}

/** Bundles hold what a container is started with, a Secret's values too: they lie on no disk. */
async function placeInMemory(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o711 });
  if (!(await mountPoints()).includes(folder)) await createTmpfs()(folder, { mode: '0711' });
}

async function havePauseImage(
  cri: Pick<ImageService, 'imageStatus'>,
  ctr: string,
  socket: string,
): Promise<void> {
  if ((await cri.imageStatus(pauseImageName)) === undefined)
    await importImage({ ctr, socket, archive: pauseArchive() });
}

async function removeNetworkOfGone(
  cri: Pick<SandboxRuntime, 'listPodSandboxes'>,
  { iptables, bridge, cidr }: { iptables: string; bridge: string; cidr: string },
): Promise<void> {
  // Without its bridge there is nothing of the network.
  if (!(await exists(`/sys/class/net/${bridge}`))) return;
  const sandboxes = await cri.listPodSandboxes();
  const ready = sandboxes.filter(each => each.state === 'SANDBOX_READY');
  const live = new Set(ready.map(each => each.id));
  await removeStrayNetwork(iptables, { bridge, cidr, live });
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

async function ready(socket: string, pid: number, logFile: string, log: Logger): Promise<void> {
  const deadline = performance.now() + readyWithinMs;
  // A socket that is not there yet makes no event that gRPC's own back-off would not oversleep.
  for (;;) {
    const cri = connectCri({ endpoint: socket, log });
    try {
      await access(socket);
      const conditions = await cri.status();
      if (conditions.every(each => each.status)) return;
    } catch (error) {
      if (!(await exists(`/proc/${pid}`)) || performance.now() > deadline) {
        throw new Error(`containerd does not answer; see ${logFile}`, { cause: error });
      }
    } finally {
      await cri.close();
    }
    await delay(10);
  }
}
