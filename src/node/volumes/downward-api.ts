import type { Pod } from '../../api/core/v1/pod.ts';
import type { DownwardFile } from '../../api/core/v1/pod/volume-schema.ts';
import { fieldValue } from '../env/field-ref.ts';
import { resourceValue } from '../env/resource-field-ref.ts';
import { aggregate } from './aggregate.ts';
import { projectedFile, type FileDefaults, type Payload, type ProjectedFile } from './payload.ts';
import type { ContentPlugin } from './plugin.ts';

export const downwardApiPlugin: ContentPlugin = {
  folder: 'kubernetes.io~downward-api',
  medium: 'disk',
  collect: ({ downwardAPI: { items, ...defaults } = {} }, { pod }) =>
    Promise.resolve({ payload: downwardFiles(pod, items, defaults) }),
};

/** Files that tell of the pod. @throws Error with all that is wrong */
export function downwardFiles(
  pod: Pod,
  items: readonly DownwardFile[] = [],
  defaults: FileDefaults = {},
): Payload {
  const files = new Map<string, ProjectedFile>();
  const failures: unknown[] = [];
  for (const { path, mode, user, ...source } of items) {
    try {
      const data = Buffer.from(valueOf(pod, source));
      files.set(path, projectedFile(data, { mode, user }, defaults));
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw aggregate(failures);
  return files;
}

// The API allows only what is in the metadata here, so that the place of the pod does not matter.
const nowhere = { podIps: [], hostIp: '', nodeName: '' };

function valueOf(
  pod: Pod,
  { fieldRef, resourceFieldRef }: Pick<DownwardFile, 'fieldRef' | 'resourceFieldRef'>,
): string {
  if (fieldRef !== undefined) return fieldValue(pod, fieldRef.fieldPath, nowhere);
  if (resourceFieldRef === undefined) return '';
  const { initContainers = [], containers } = pod.spec;
  const { containerName } = resourceFieldRef;
  const container = [...containers, ...initContainers].find(each => each.name === containerName);
  if (container === undefined) throw new Error(`container ${containerName} not found`);
  return resourceValue(container, resourceFieldRef);
}
