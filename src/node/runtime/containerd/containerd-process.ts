import { spawn } from 'node:child_process';
import { open, readdir, readFile, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../../machinery/log.ts';

export interface ContainerdProcessOptions {
  readonly binary: string;
  readonly configFile: string;
  readonly logFile: string;
  readonly socket: string;
  /** For files of its own that live but a moment. */
  readonly temporaryDir: string;
  /** What to do with one that a killed Keylet may have left running. */
  readonly found: 'adopt' | 'end';
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
  const { binary, configFile, logFile, socket, log } = options;
  let closing = false;
  let timer: NodeJS.Timeout | undefined;
  let pid = await runningPid(binary, configFile);
  if (pid !== undefined && options.found === 'end') {
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
  const start = async (): Promise<void> => {
    await rm(socket, { force: true });
    const out = await open(logFile, 'a', 0o600);
    if (closing) return out.close();
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
  };
  // Another's child tells nobody of its end: it is looked for.
  const lookFor = (adopted: number): void => {
    if (closing) return;
    timer = setTimeout(() => {
      void runs(adopted).then(stillRuns => (stillRuns ? lookFor(adopted) : ended()));
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
    },
  };
}

/** Found by its command line: a note of its pid could be missing after a crash, or be another's by now. */
async function runningPid(binary: string, configFile: string): Promise<number | undefined> {
  const wanted = [binary, '--config', configFile, ''].join('\0');
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map(pid => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  const found = pids[lines.indexOf(wanted)];
  return found === undefined ? undefined : Number(found);
}

/** One that has ended and was not yet reaped does not count. */
async function runs(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat !== undefined && !/ Z /.test(stat);
}

/** SIGTERM, then SIGKILL for one that does not listen. */
async function endProcess(pid: number): Promise<void> {
  if (!(await runs(pid))) return;
  process.kill(pid, 'SIGTERM');
  for (let waitedMs = 0; await runs(pid); waitedMs += 10) {
    if (waitedMs === 10_000) process.kill(pid, 'SIGKILL');
    await delay(10);
  }
}
