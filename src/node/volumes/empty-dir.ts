import { chmod, chown, mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Pod } from '../../api/core/v1/pod.ts';
import { quantityUnits } from '../../machinery/quantity.ts';
import type { FolderPlugin } from './plugin.ts';

export const emptyDirPlugin: FolderPlugin = {
  path: ({ name }, volumesFolder) => path.join(volumesFolder, 'kubernetes.io~empty-dir', name),
  async setUp({ pod, volume: { emptyDir }, path: dir, mounted, tmpfs }) {
    await mkdir(dir, { recursive: true });
    if (emptyDir?.medium === 'Memory' && !mounted) {
      const sizeBytes =
        emptyDir.sizeLimit === undefined ? memoryLimit(pod) : quantityUnits(emptyDir.sizeLimit);
      await tmpfs(dir, { mode: '0777', sizeBytes: sizeBytes === 0 ? undefined : sizeBytes });
    }
    const fsGroup = pod.spec.securityContext?.fsGroup;
    if (fsGroup !== undefined) await chown(dir, 0, fsGroup);
    await chmod(dir, fsGroup === undefined ? 0o777 : 0o2777);
  },
};

/** What the containers may use of memory together, if each has a limit. Bytes. */
function memoryLimit({ spec }: Pod): number | undefined {
  const limits = spec.containers.map(each => each.resources?.limits?.['memory']);
  return limits.reduce<number | undefined>(
    (sum, limit) =>
      sum === undefined || limit === undefined ? undefined : sum + quantityUnits(limit),
    0,
  );
}
