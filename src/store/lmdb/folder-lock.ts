import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { StoreError } from '../store.ts';

export interface FolderLock {
  release(): Promise<void>;
}

/** One process a folder. A lock whose process is gone (kill -9) does not count. */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const file = path.join(folder, 'pid');
  const mine = `${process.pid} ${await startTicks(process.pid)}`;
  const held = await readFile(file, 'utf8').catch(() => '');
  const [pid = ''] = held.split(' ');
  if (held !== '' && held !== mine && held === `${pid} ${await startTicks(Number(pid))}`) {
    throw new StoreError('unavailable', `${folder} is open in process ${pid}`);
  }
  await writeFile(file, mine, { mode: 0o600 });
  return { release: () => rm(file, { force: true }) };
}

/** Field 22 of /proc/<pid>/stat, which tells a reused pid from the same process. */
async function startTicks(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
