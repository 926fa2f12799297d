import type { Pod } from '../../api/core/v1/pod.ts';
import type { DownwardFile } from '../../api/core/v1/pod/volume-schema.ts';
import { fieldValue } from '../env/field-ref.ts';
import { resourceValue } from '../env/resource-field-ref.ts';
import { aggregate } from './aggregate.ts';
import { defaultFileMode, type Payload, type ProjectedFile } from './payload.ts';
import type { ContentPlugin } from './plugin.ts';

export const downwardApiPlugin: ContentPlugin = {
  folder: 'kubernetes.io~downward-api',
  medium: 'disk',
  collect: ({ downwardAPI: { items, defaultMode } = {} }, { pod }) =>
    Promise.resolve({ payload: downwardFiles(pod, items, defaultMode) }),
};

/** Files that tell of the pod. @throws Error with all that is wrong */
export function downwardFiles(
  pod: Pod,
  items: readonly DownwardFile[] = [],
  defaultMode = defaultFileMode,
): Payload {
  const files = new Map<string, ProjectedFile>();
  const failures: unknown[] = [];
  for (const { path, mode = defaultMode, ...source } of items) {
    try {
      files.set(path, { data: Buffer.from(valueOf(pod, source)), mode });
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
