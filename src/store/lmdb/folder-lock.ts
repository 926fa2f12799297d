import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { StoreError } from '../store.ts';

export interface FolderLock {
  release(): Promise<void>;
}

/**
 * One opener a folder. A lock whose process is gone (kill -9) does not count.
 * @throws StoreError `unavailable` naming the process that holds it
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const file = path.join(folder, 'pid');
  const own = path.join(folder, `pid.${process.pid}.${process.hrtime.bigint()}`);
  try {
    await writeFile(own, `${process.pid} ${await startTicks(process.pid)}`, { mode: 0o600 });
    // A link is made whole or not at all: nobody reads half a lock, and one of two wins.
    while (!(await linked(own, file))) await removeStale(folder, file);
  } finally {
    await rm(own, { force: true });
  }
  return { release: () => rm(file, { force: true }) };
}

async function linked(own: string, file: string): Promise<boolean> {
  try {
    await link(own, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function removeStale(folder: string, file: string): Promise<void> {
  const held = await readFile(file, 'utf8').catch(() => '');
  const [pid = ''] = held.split(' ');
  if (held !== '' && held === `${pid} ${await startTicks(Number(pid))}`) {
    throw new StoreError('unavailable', `${folder} is open in process ${pid}`);
  }
  // Two may find it stale; who then moves away the other's new lock puts that back.
  const gone = `${file}.stale.${process.pid}`;
  await rename(file, gone).catch(() => undefined);
  const moved = await readFile(gone, 'utf8').catch(() => held);
  if (moved !== held) await linked(gone, file);
  await rm(gone, { force: true });
}

/** Field 22 of /proc/<pid>/stat, which tells a reused pid from the same process. */
async function startTicks(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
