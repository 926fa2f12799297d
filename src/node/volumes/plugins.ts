import type { Volume } from '../../api/core/v1/pod.ts';
import { volumeSources } from '../../api/core/v1/pod/volume-schema.ts';
import { configMapPlugin } from './config-map.ts';
import { downwardApiPlugin } from './downward-api.ts';
import { emptyDirPlugin } from './empty-dir.ts';
import { hostPathPlugin } from './host-path.ts';
import type { ContentPlugin, FolderPlugin } from './plugin.ts';
import { projectedPlugin } from './projected.ts';
import { secretPlugin } from './secret.ts';

type SourceName = keyof typeof volumeSources;

const contentPlugins: Partial<Record<SourceName, ContentPlugin>> = {
  secret: secretPlugin,
  configMap: configMapPlugin,
  projected: projectedPlugin,
  downwardAPI: downwardApiPlugin,
};
const folderPlugins: Partial<Record<SourceName, FolderPlugin>> = {
  emptyDir: emptyDirPlugin,
  hostPath: hostPathPlugin,
};

const sourceOf = (volume: Volume): SourceName =>
  (Object.keys(volumeSources) as SourceName[]).find(name => volume[name] !== undefined) ??
  'emptyDir';

/** Undefined: the containers fill the volume. */
export const contentPluginOf = (volume: Volume): ContentPlugin | undefined =>
  contentPlugins[sourceOf(volume)];

/** @throws Error where the volume is of a kind that Keylet has no plug-in for */
export function folderPluginOf(volume: Volume): FolderPlugin {
  const source = sourceOf(volume);
  const plugin = folderPlugins[source];
  if (plugin === undefined)
    throw new Error(`no volume plugin matched: Keylet has none for ${source}`);
  return plugin;
}
