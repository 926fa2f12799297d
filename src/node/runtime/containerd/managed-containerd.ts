import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../../machinery/log.ts';
import { connectCri } from '../cri/connect-cri.ts';
import { cniConflist, containerdConfig } from './config.ts';
import { findBinaries } from './find-binaries.ts';
import { importImage } from './import-image.ts';
import { pauseArchive, pauseImageName } from './pause-image.ts';

export interface ManagedContainerdOptions {
  readonly dataDir: string;
  readonly podNetwork: { readonly cidr: string; readonly bridge: string };
  readonly registryHostsDir?: string;
  readonly log: Logger;
}

export interface ManagedContainerd {
  /** Path of the CRI socket. */
  readonly endpoint: string;
  /** Ends containerd itself; what its shims run goes on. */
  close(): Promise<void>;
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
  const base = path.join(dataDir, 'containerd');
  // A socket's path has room for 107 bytes; data folders may be deep.
  const state = `/run/keylet/${createHash('sha256').update(path.resolve(dataDir)).digest('hex').slice(0, 12)}`;
  const socket = `${state}/containerd.sock`;
  const cniConfDir = path.join(base, 'cni');
  const registryHostsDir = options.registryHostsDir ?? path.join(base, 'certs.d');
  await Promise.all([
    mkdir(cniConfDir, { recursive: true }),
    mkdir(registryHostsDir, { recursive: true }),
    mkdir(state, { recursive: true, mode: 0o711 }),
  ]);
  const configFile = path.join(base, 'config.toml');
  const config = await containerdConfig({
    root: path.join(base, 'root'),
    state,
    socket,
    cniConfDir,
    cniBinDir: binaries.cniBinDir,
    registryHostsDir,
  });
  const unchanged = (await readFile(configFile, 'utf8').catch(() => '')) === config;
  await writeFile(configFile, config);
  await writeFile(
    path.join(cniConfDir, '10-keylet.conflist'),
    cniConflist(podNetwork.bridge, podNetwork.cidr),
  );

  const pidFile = path.join(state, 'containerd.pid');
  let pid = await adoptable(pidFile, binaries.containerd);
  if (pid !== undefined && !unchanged) {
    await endProcess(pid);
    pid = undefined;
  }
  let closing = false;
  const start = async (): Promise<number> => {
    await rm(socket, { force: true });
    const logFile = await open(path.join(base, 'containerd.log'), 'a', 0o600);
    // A group of its own: an interrupt at the terminal is Keylet's to pass on.
    const child = spawn(binaries.containerd, ['--config', configFile], {
      detached: true,
      stdio: ['ignore', logFile.fd, logFile.fd],
      env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin:/usr/local/sbin` },
    });
    await logFile.close();
    child.once('exit', code => {
      if (closing) return;
      log.error('containerd ended and is started again', { code: code ?? -1 });
      void start();
    });
    child.unref();
    await writeFile(pidFile, String(child.pid));
    return (pid = child.pid ?? 0);
  };
  const running = pid ?? (await start());
  await ready(socket, running, path.join(base, 'containerd.log'), log);
  await havePauseImage(socket, binaries.ctr, log);

  return {
    endpoint: socket,
    async close() {
      closing = true;
      if (pid !== undefined) await endProcess(pid);
      await rm(pidFile, { force: true });
    },
    async cleanUp() {
      const { cleanUpMachine } = await import('./clean-up.ts');
      await cleanUpMachine({ state, bridge: podNetwork.bridge, root: path.join(base, 'root') });
    },
  };
}

async function adoptable(pidFile: string, binary: string): Promise<number | undefined> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => 'none'));
  if (!Number.isInteger(pid)) return undefined;
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return command.startsWith(`${binary}\0`) ? pid : undefined;
}

async function ready(socket: string, pid: number, logFile: string, log: Logger): Promise<void> {
  const deadline = Date.now() + readyWithinMs;
  // A socket that is not there yet makes no event that gRPC's own back-off would not oversleep.
  for (;;) {
    const cri = connectCri({ endpoint: socket, log });
    try {
      await access(socket);
      const conditions = await cri.status();
      if (conditions.every(each => each.status)) return;
    } catch (error) {
      const alive = await access(`/proc/${pid}`).then(
        () => true,
        () => false,
      );
      if (!alive || Date.now() > deadline) {
        throw new Error(`containerd does not answer; see ${logFile}`, { cause: error });
      }
    } finally {
      await cri.close();
    }
    await delay(10);
  }
}

async function havePauseImage(socket: string, ctr: string, log: Logger): Promise<void> {
  const cri = connectCri({ endpoint: socket, log });
  try {
    if ((await cri.imageStatus(pauseImageName)) === undefined)
      await importImage({ ctr, socket, archive: pauseArchive() });
  } finally {
    await cri.close();
  }
}

/** SIGTERM, then SIGKILL for one that does not listen. */
async function endProcess(pid: number): Promise<void> {
  const alive = (): Promise<boolean> =>
    access(`/proc/${pid}`).then(
      () => true,
      () => false,
    );
  const isZombie = async (): Promise<boolean> =>
    / Z /.test(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ' Z '));
  try {
    process.kill(pid, 'SIGTERM');
    for (let waitedMs = 0; (await alive()) && !(await isZombie()); waitedMs += 10) {
      if (waitedMs === 10_000) process.kill(pid, 'SIGKILL');
      await delay(10);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
