import { spawn } from 'node:child_process';
import { access, open, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../../machinery/log.ts';

export interface ContainerdProcessOptions {
  readonly binary: string;
  readonly configFile: string;
  readonly logFile: string;
  readonly socket: string;
  /** For files of its own that live but a moment. */
  readonly temporaryDir: string;
  readonly pidFile: string;
  /** Whether one that a killed Keylet left running may be gone on with. */
  readonly adopt: boolean;
  readonly log: Logger;
}

/** A containerd that is started again when it ends, until it is closed. */
export interface ContainerdProcess {
  readonly pid: number;
  close(): Promise<void>;
}

const restartAfterMs = 1000;
const lookEveryMs = 1000;

export async function keepContainerd(
  options: ContainerdProcessOptions,
): Promise<ContainerdProcess> {
  const { binary, configFile, logFile, socket, pidFile, log } = options;
  let closing = false;
  let timer: NodeJS.Timeout | undefined;
  let pid = await runningPid(pidFile, binary);
  if (pid !== undefined && !options.adopt) {
    await endProcess(pid);
    pid = undefined;
  }
  const ended = (): void => {
    if (closing) return;
    log.error('containerd ended and is started again', { after: `${restartAfterMs} ms` });
    timer = setTimeout(() => {
      start().catch((error: unknown) => {
        log.error('containerd was not started', { error: String(error) });
        ended();
      });
    }, restartAfterMs);
  };
  const start = async (): Promise<number> => {
    await rm(socket, { force: true });
    const out = await open(logFile, 'a', 0o600);
    // A group of its own: an interrupt at the terminal is Keylet's to pass on.
    const child = spawn(binary, ['--config', configFile], {
      detached: true,
      stdio: ['ignore', out.fd, out.fd],
      env: {
        ...process.env,
        PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin:/usr/local/sbin`,
        // Read by the shims' go-runc.
        XDG_RUNTIME_DIR: options.temporaryDir,
      },
    });
    await out.close();
    child.once('error', ended);
    child.once('exit', ended);
    child.unref();
    pid = child.pid ?? 0;
    await writeFile(pidFile, String(pid));
    return pid;
  };
  // Another's child tells nobody of its end: it is looked for.
  const lookFor = (adopted: number): void => {
    timer = setInterval(() => {
      if (isAlive(adopted)) return;
      clearInterval(timer);
      ended();
    }, lookEveryMs).unref();
  };
  if (pid === undefined) await start();
  else lookFor(pid);

  return {
    get pid() {
      return pid ?? 0;
    },
    async close() {
      closing = true;
      clearTimeout(timer);
      if (pid !== undefined) await endProcess(pid);
      await rm(pidFile, { force: true });
    },
  };
}

async function runningPid(pidFile: string, binary: string): Promise<number | undefined> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => 'none'));
  if (!Number.isInteger(pid)) return undefined;
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return command.startsWith(`${binary}\0`) ? pid : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** SIGTERM, then SIGKILL for one that does not listen. */
async function endProcess(pid: number): Promise<void> {
  const runs = async (): Promise<boolean> => {
    if (
      !(await access(`/proc/${pid}`).then(
        () => true,
        () => false,
      ))
    )
      return false;
    return !/ Z /.test(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ' Z '));
  };
  if (!isAlive(pid)) return;
  process.kill(pid, 'SIGTERM');
  for (let waitedMs = 0; await runs(); waitedMs += 10) {
    if (waitedMs === 10_000) process.kill(pid, 'SIGKILL');
    await delay(10);
  }
}
