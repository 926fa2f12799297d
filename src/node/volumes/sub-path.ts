import { constants, type Stats } from 'node:fs';
import {
  mkdir,
  open,
  readlink,
  realpath,
  stat,
  writeFile,
  type FileHandle,
} from 'node:fs/promises';
import path from 'node:path';
import { bindMount, mountPoints, unmount } from './mounts.ts';

export interface SubPathRequest {
  /** The volume on the node. */
  readonly volumePath: string;
  readonly subPath: string;
  /** Where to bind it to: what a container can no longer redirect by a link in the volume. */
  readonly target: string;
}

// Not in Node's constants; the same on x86 and arm.
const openPath = 0o10000000;

/**
 * Binds a path within a volume to a path outside of it. What is opened is checked, not what its name
 * led to before, so that no link swapped in by a container leads out of the volume. A path that is not
 * there becomes a folder, as in the kubelet.
 * @throws Error
 */
export async function bindSubPath({ volumePath, subPath, target }: SubPathRequest): Promise<void> {
  const root = await realpath(volumePath);
  await createWithin(root, subPath);
  const handle = await open(
    await realpath(path.join(root, subPath)),
    openPath | constants.O_NOFOLLOW,
  );
  try {
    await mustBeWithin(root, handle);
    await prepareTarget(target, await handle.stat());
    await bindMount(handle.fd, target);
  } finally {
    await handle.close();
  }
}

async function createWithin(root: string, subPath: string): Promise<void> {
  let existing = path.join(root, subPath);
  while (!(await exists(existing))) existing = path.dirname(existing);
  const real = await realpath(existing);
  if (!isWithin(root, real)) throw new Error(`subpath ${subPath} leads out of its volume`);
  const missing = path.relative(existing, path.join(root, subPath));
  if (missing === '') return;
  const { mode } = await stat(root);
  await mkdir(path.join(real, missing), { recursive: true, mode: mode & 0o777 });
}

async function mustBeWithin(root: string, handle: FileHandle): Promise<void> {
  const opened = await readlink(`/proc/self/fd/${handle.fd}`);
  if (!isWithin(root, opened)) throw new Error('subpath leads out of its volume');
}

const isWithin = (root: string, file: string): boolean =>
  file === root || file.startsWith(`${root}/`);

async function prepareTarget(target: string, source: Stats): Promise<void> {
  if ((await mountPoints()).includes(target)) await unmount(target);
  await mkdir(path.dirname(target), { recursive: true, mode: 0o750 });
  if (source.isDirectory()) await mkdir(target, { recursive: true });
  else await writeFile(target, '', { mode: 0o640 });
}

const exists = async (file: string): Promise<boolean> => {
  try {
    await stat(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
};
