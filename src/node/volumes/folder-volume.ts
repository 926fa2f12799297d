import type { MountedVolume, MountedVolumeOptions } from './mounted-volume.ts';
import type { Tmpfs } from './mounts.ts';
import type { FolderPlugin } from './plugin.ts';
import { createTurns } from './turns.ts';

/** A volume that is put in place once; what is in it is the containers' business. */
export function createFolderVolume(
  plugin: FolderPlugin,
  { volume, volumesFolder, tmpfs }: MountedVolumeOptions,
): MountedVolume {
  const dir = plugin.path(volume, volumesFolder);
  const inTurn = createTurns();
  let ready = false;
  return {
    path: dir,
    readOnly: false,
    mount: (pod, mounted) =>
      inTurn(async () => {
        if (ready) return false;
        let made = false;
        const medium: Tmpfs = async (...args) => {
          await tmpfs(...args);
          made = true;
        };
        const already = (await mounted()).has(dir);
        await plugin.setUp({ pod, volume, path: dir, mounted: already, tmpfs: medium });
        ready = true;
        return made;
      }),
    refresh: () => Promise.resolve(false),
    uses: () => false,
    close: () => inTurn(() => Promise.resolve()),
  };
}
