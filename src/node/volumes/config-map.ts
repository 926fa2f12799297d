import { isNotFoundReference } from '../references/not-found-reference.ts';
import { configMapData } from '../references/object-data.ts';
import { projectKeys, type KeySelection, type Payload } from './payload.ts';
import type { ContentPlugin, Sources } from './plugin.ts';

export const configMapPlugin: ContentPlugin = {
  folder: 'kubernetes.io~configmap',
  medium: 'disk',
  async collect({ configMap = {} }, sources) {
    return { payload: await configMapFiles(configMap.name ?? '', configMap, sources) };
  },
};

/** The files of a ConfigMap; none where it is optional and not there. */
export async function configMapFiles(
  name: string,
  selection: KeySelection,
  { pod, references }: Sources,
): Promise<Payload> {
  try {
    const configMap = await references.getConfigMap(pod.metadata.namespace ?? '', name);
    return projectKeys(configMapData(configMap), selection, 'config');
  } catch (error) {
    if (selection.optional === true && isNotFoundReference(error)) return new Map();
    throw error;
  }
}
