import { statSync } from 'node:fs';
import type { Pod } from '../../api/core/v1/pod.ts';
import { mountsBelow } from './mounts.ts';
import { subPathsFolder } from './sub-path.ts';

/**
 * Which versions of a volume a container still has a folder of, by a sub-path: what is in there is theirs until they
 * end. A file that is mounted needs no care: it lives as long as its mount.
 * @returns undefined where no container has a sub-path of the volume
 */
export function heldVersions(
  podFolder: string,
  volumeName: string,
  { spec }: Pod,
): (() => ReadonlySet<string>) | undefined {
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const mounts = containers.flatMap(({ volumeMounts = [] }) => volumeMounts);
  const any = mounts.some(
    ({ name, subPath, subPathExpr }) => name === volumeName && Boolean(subPath ?? subPathExpr),
  );
  if (!any) return undefined;
  const folder = subPathsFolder(podFolder, volumeName);
  return () =>
    new Set(
      mountsBelow(folder)
        .filter(({ point }) => statSync(point, { throwIfNoEntry: false })?.isDirectory() === true)
        .map(({ root }) => /\/(\.\.\d{4}_[^/]+)\//.exec(root)?.[1] ?? ''),
    );
}
