import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Mounts below the folders, the bridge and the state: what a machine had not before. Nothing may run there. */
export async function cleanUpMachine({ state, bridge, root }: { state: string; bridge: string; root: string }): Promise<void> {
  for (const point of (await mountsBelow([state, root])).toReversed()) {
    await run('umount', ['--lazy', point]).catch(() => undefined);
  }
  await run('ip', ['link', 'delete', bridge]).catch(() => undefined);
  await rm(state, { recursive: true, force: true });
}

async function mountsBelow(folders: readonly string[]): Promise<string[]> {
  const mountinfo = await readFile('/proc/self/mountinfo', 'utf8');
  return mountinfo
    .split('\n')
    .map(line => line.split(' ')[4] ?? '')
    .filter(point => folders.some(folder => point.startsWith(`${folder}/`)));
}
