import { createContentVolume } from './content-volume.ts';
import { createFolderVolume } from './folder-volume.ts';
import type { MountedVolume, MountedVolumeOptions } from './mounted-volume.ts';
import { contentPluginOf, folderPluginOf } from './plugins.ts';

/** @throws Error where there is no plug-in for the volume */
export function createMountedVolume(options: MountedVolumeOptions): MountedVolume {
  const plugin = contentPluginOf(options.volume);
  return plugin === undefined
    ? createFolderVolume(folderPluginOf(options.volume), options)
    : createContentVolume(plugin, options);
}
