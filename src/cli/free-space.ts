import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from './user-error.ts';

/** What a start writes at the least: the store's first pages, keys and certificates. */
const neededBytes = 4 * 1024 * 1024;

/**
 * To be asked before anything is started or written.
 * @throws UserError when the disk of the data folder is full
 */
export async function requireFreeSpace(dataDir: string): Promise<void> {
  let folder = path.resolve(dataDir);
  while (!existsSync(folder)) folder = path.dirname(folder);
  const { blocks, bavail, bsize } = await statfs(folder);
  // File systems without blocks, such as /proc, are no disks.
  if (blocks === 0 || bavail * bsize >= neededBytes) return;
  const free = Math.floor((bavail * bsize) / 1024);
  throw new UserError(
    `no space left on the disk of ${dataDir}: ${free} KiB are free, a start needs ${neededBytes / 1024}. Free some, or choose another folder with --data-dir`,
  );
}
