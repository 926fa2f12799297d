import { memberOf } from '../../machinery/member.ts';
import type { Stats } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
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
    create: async path => void (await mkdir(path, { recursive: true, mode: 0o755 })),
  },
  File: file,
  FileOrCreate: { ...file, create: async path => (await open(path, 'a', 0o644)).close() },
  Socket: { word: 'socket file', is: found => found.isSocket() },
  CharDevice: { word: 'character device', is: found => found.isCharacterDevice() },
  BlockDevice: { word: 'block device', is: found => found.isBlockDevice() },
};

async function kindOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
