import { execFile } from 'node:child_process';
import { readdir, readFile, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { mountPoints } from '../../volumes/mounts.ts';

const run = promisify(execFile);

/** Mounts below the folders, the bridge and the state: what a machine had not before. Nothing may run there. */
export async function cleanUpMachine({
  state,
  bridge,
  root,
}: {
  state: string;
  bridge: string;
  root: string;
}): Promise<void> {
  await shimsGone(state);
  const isOurs = (point: string): boolean =>
    [state, root].some(folder => `${point}/`.startsWith(`${folder}/`));
  for (const point of (await mountPoints()).filter(isOurs).toReversed()) {
    await run('umount', ['--lazy', point]).catch(() => undefined);
  }
  await run('ip', ['link', 'delete', bridge]).catch(() => undefined);
  await rm(state, { recursive: true, force: true });
}

const shimPatienceMs = 5000;

/** A shim ends by itself a moment after its last task; one that does not is ended. */
async function shimsGone(state: string): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += 10) {
    const shims = await shimsOf(state);
    if (shims.length === 0) return;
    if (waitedMs >= shimPatienceMs) for (const pid of shims) process.kill(pid, 'SIGKILL');
    // Another's child tells nobody of its end: it can only be looked for.
    await delay(10);
  }
}

/** Processes that hold pods up. */
export async function shimsOf(state: string): Promise<number[]> {
  const found: number[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.includes('containerd-shim') && command.includes(state)) found.push(Number(pid));
  }
  return found;
}
