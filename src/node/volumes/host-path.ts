import { memberOf } from '../../machinery/member.ts';
import type { Stats } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { makeFolders } from '../file-modes.ts';
import type { FolderPlugin } from './plugin.ts';

export const hostPathPlugin: FolderPlugin = {
  path: ({ hostPath }) => hostPath?.path ?? '',
  async setUp({ volume: { hostPath }, path }) {
    const check = memberOf(checks, hostPath?.type ?? '');
    if (check === undefined) return;
    if (check.create !== undefined && (await kindOf(path)) === undefined) await check.create(path);
    const found = await kindOf(path);
    if (found === undefined || !check.is(found)) {
      throw new Error(`hostPath type check failed: ${path} is not a ${check.word}`);
    }
  },
};

interface Check {
  readonly word: string;
  is(found: Stats): boolean;
  create?(path: string): Promise<void>;
}

const directory: Check = { word: 'directory', is: found => found.isDirectory() };
const file: Check = { word: 'file', is: found => found.isFile() };

const checks: Partial<Record<string, Check>> = {
  Directory: directory,
  DirectoryOrCreate: {
    ...directory,
    create: path => makeFolders(path, 0o755),
  },
  File: file,
  FileOrCreate: { ...file, create: createFile },
  Socket: { word: 'socket file', is: found => found.isSocket() },
  CharDevice: { word: 'character device', is: found => found.isCharacterDevice() },
  BlockDevice: { word: 'block device', is: found => found.isBlockDevice() },
};

/** A file that somebody else creates at the same time is left as it is. */
async function createFile(path: string): Promise<void> {
  try {
    await using file = await open(path, 'ax', 0o644);
    await file.chmod(0o644);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

async function kindOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
