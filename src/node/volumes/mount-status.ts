import type { Container, VolumeMountStatus } from '../../api/core/v1/pod.ts';
import { isRecursiveReadOnly } from './recursive-read-only.ts';

/** How a container's volumes are mounted, as its status tells it. @param supported by the runtime */
export const mountStatuses = (container: Container, supported: boolean): VolumeMountStatus[] =>
  (container.volumeMounts ?? []).map(mount => {
    const { name, mountPath, readOnly } = mount;
    if (readOnly !== true) return { name, mountPath };
    const recursiveReadOnly = isRecursive(() => isRecursiveReadOnly(mount, supported));
    return { name, mountPath, readOnly, recursiveReadOnly };
  });

/** What cannot be had keeps the container from its start, and says so there. */
function isRecursive(resolve: () => boolean): 'Enabled' | 'Disabled' {
  try {
    return resolve() ? 'Enabled' : 'Disabled';
  } catch {
    return 'Disabled';
  }
}
