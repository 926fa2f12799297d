import { constants, type Stats } from 'node:fs';
import {
  chmod,
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

/** Where the sub-paths of a volume are bound to. @param podFolder `<pod>` */
export const subPathsFolder = (podFolder: string, volumeName: string): string =>
  path.join(podFolder, 'volume-subpaths', volumeName);

/** A path that was not there could not be made within its volume. */
export class SubPathNotMade extends Error {}

/**
 * Binds a path within a volume to a path outside of it. What is opened is checked, not what its name
 * led to before, so that no link swapped in by a container leads out of the volume. A path that is not
 * there becomes a folder with the mode of the volume, as in the kubelet.
 * @throws SubPathNotMade, Error
 */
export async function bindSubPath({ volumePath, subPath, target }: SubPathRequest): Promise<void> {
  const root = await realpath(volumePath);
  try {
    await createWithin(root, subPath);
  } catch (error) {
    throw new SubPathNotMade((error as Error).message, { cause: error });
  }
  const handle = await openWithin(root, path.join(root, subPath));
  try {
    await prepareTarget(target, await handle.stat());
    await bindMount(handle.fd, target);
  } finally {
    await handle.close();
  }
}

async function createWithin(root: string, subPath: string): Promise<void> {
  let existing = path.join(root, subPath);
  while (!(await exists(existing))) existing = path.dirname(existing);
  const missing = path.relative(existing, path.join(root, subPath));
  const rootMode = (await stat(root)).mode & 0o7777;
  if (missing === '') return;
  let folder = await openWithin(root, existing);
  try {
    for (const name of missing.split('/')) {
      // Below an open folder: a link that a container puts there meanwhile is not followed.
      const made = `/proc/self/fd/${folder.fd}/${name}`;
      await mkdir(made);
      const next = await open(made, openPath | constants.O_NOFOLLOW | constants.O_DIRECTORY);
      await folder.close();
      folder = next;
      // As mkdir would do it under the usual umask of 022, whatever Keylet's is.
      await chmod(`/proc/self/fd/${folder.fd}`, rootMode & ~0o022);
    }
    await chmod(`/proc/self/fd/${folder.fd}`, rootMode);
  } finally {
    await folder.close();
  }
}

/** @throws Error where the path leads out of the volume */
async function openWithin(root: string, file: string): Promise<FileHandle> {
  const handle = await open(await realpath(file), openPath | constants.O_NOFOLLOW);
  try {
    const opened = await readlink(`/proc/self/fd/${handle.fd}`);
    if (!isWithin(root, opened)) throw new Error('subpath leads out of its volume');
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
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
