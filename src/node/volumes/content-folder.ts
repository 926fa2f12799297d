import { chmod, chown, mkdir, rm, stat } from 'node:fs/promises';
import { unmount, type Tmpfs } from './mounts.ts';

/**
 * Makes the folder of a volume that Keylet fills, with the modes of the kubelet's emptyDir around it.
 * @param medium whose mount is still to be made; undefined where it is on the disk or there already
 * @returns takes away again what was made here
 * @throws Error; nothing is left then
 */
export async function placeFolder(
  dir: string,
  { medium, fsGroup }: { medium: Tmpfs | undefined; fsGroup: number | undefined },
): Promise<() => Promise<void>> {
  const made = (await mkdir(dir, { recursive: true })) !== undefined;
  let mounted = false;
  const undo = async (): Promise<void> => {
    if (mounted) await unmount(dir);
    if (made || mounted) await rm(dir, { recursive: true, force: true });
  };
  try {
    if (medium === undefined) await chmod(dir, 0o777 | ((await stat(dir)).mode & 0o1000));
    else {
      await medium(dir, { mode: '1777' });
      mounted = true;
    }
    if (fsGroup !== undefined) {
      await chown(dir, 0, fsGroup);
      await chmod(dir, ((await stat(dir)).mode & 0o7777) | 0o2550);
    }
    return undo;
  } catch (error) {
    await undo();
    throw error;
  }
}
