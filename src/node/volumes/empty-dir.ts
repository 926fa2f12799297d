import { chmod, chown, mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Pod } from '../../api/core/v1/pod.ts';
import { quantityUnits } from '../../machinery/quantity.ts';
import type { FolderPlugin } from './plugin.ts';

export const emptyDirPlugin: FolderPlugin = {
  path: ({ name }, volumesFolder) => path.join(volumesFolder, 'kubernetes.io~empty-dir', name),
  async setUp({ pod, volume: { emptyDir }, path: dir, mounted, tmpfs }) {
    await mkdir(dir, { recursive: true });
    const inMemory = emptyDir?.medium === 'Memory';
    if (inMemory && !mounted) {
      const sizeBytes =
        emptyDir.sizeLimit === undefined ? memoryLimit(pod) : quantityUnits(emptyDir.sizeLimit);
      await tmpfs(dir, { mode: '1777', sizeBytes: sizeBytes === 0 ? undefined : sizeBytes });
    }
    const fsGroup = pod.spec.securityContext?.fsGroup;
    if (!inMemory) await chmod(dir, 0o777);
    if (fsGroup === undefined) return;
    // kubelet's SetVolumeOwnership adds to the mode: a tmpfs keeps its sticky bit.
    await chown(dir, 0, fsGroup);
    await chmod(dir, ((await stat(dir)).mode & 0o7777) | 0o2770);
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
