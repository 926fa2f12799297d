import path from 'node:path';
import type { Container, VolumeMount } from '../../api/core/v1/pod.ts';
import { ContainerConfigError } from '../env/build-environment.ts';
import { namesIn } from '../env/expand.ts';
import type { Mount } from '../runtime/runtime.ts';
import type { MountedVolume } from './mounted-volume.ts';
import { isRecursiveReadOnly } from './recursive-read-only.ts';
import { bindSubPath, SubPathNotMade, subPathsFolder } from './sub-path.ts';

export interface ContainerMountsRequest {
  readonly container: Container;
  readonly volumes: ReadonlyMap<string, MountedVolume>;
  /** `<pod>`: sub-paths are bound below it. */
  readonly podFolder: string;
  /** Expands `$(NAME)` from the variables of the container. */
  readonly expand: (text: string) => string;
  /** Whether the runtime has this feature. */
  readonly recursiveReadOnlyMounts: boolean;
}

/** What of its pod's volumes a container sees, and where. @throws ContainerConfigError with the kubelet's text */
export async function containerMounts(request: ContainerMountsRequest): Promise<Mount[]> {
  const { container, volumes, recursiveReadOnlyMounts } = request;
  const mounts: Mount[] = [];
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const volume = volumes.get(mount.name);
    if (volume === undefined) {
      throw new ContainerConfigError(
        `cannot find volume "${mount.name}" to mount into container "${container.name}"`,
      );
    }
    mounts.push({
      containerPath: path.posix.resolve('/', mount.mountPath),
      hostPath: await hostPathOf(request, { mount, index, volume }),
      readonly: mount.readOnly === true || volume.readOnly,
      propagation: propagations[mount.mountPropagation ?? 'None'],
      recursiveReadOnly: isRecursiveReadOnly(mount, recursiveReadOnlyMounts),
    });
  }
  return mounts;
}

const propagations = {
  None: 'PROPAGATION_PRIVATE',
  HostToContainer: 'PROPAGATION_HOST_TO_CONTAINER',
  Bidirectional: 'PROPAGATION_BIDIRECTIONAL',
} as const;

async function hostPathOf(
  { container, podFolder, expand }: ContainerMountsRequest,
  { mount, index, volume }: { mount: VolumeMount; index: number; volume: MountedVolume },
): Promise<string> {
  const subPath = mount.subPathExpr ? expandAll(mount.subPathExpr, expand) : (mount.subPath ?? '');
  if (subPath === '') return volume.path;
  if (path.posix.isAbsolute(subPath)) {
    throw new ContainerConfigError(`error SubPath \`${subPath}\` must not be an absolute path`);
  }
  if (subPath.split('/').includes('..')) {
    throw new ContainerConfigError(
      `unable to provision SubPath \`${subPath}\`: must not contain '..'`,
    );
  }
  const target = path.join(subPathsFolder(podFolder, mount.name), container.name, String(index));
  try {
    await bindSubPath({ volumePath: volume.path, subPath, target });
  } catch (error) {
    // What the disk of the node looks like is not for the pod's events.
    const what = error instanceof SubPathNotMade ? 'create subPath directory' : 'prepare subPath';
    throw new ContainerConfigError(
      `failed to ${what} for volumeMount "${mount.name}" of container "${container.name}"`,
      { cause: error },
    );
  }
  return target;
}

/** In a path, unlike in a command, every name has to have a value. */
function expandAll(text: string, expand: (text: string) => string): string {
  const missing = namesIn(text).filter(name => {
    const value = expand(`$(${name})`);
    return value === '' || value === `$(${name})`;
  });
  if (missing.length > 0) {
    const names = [...new Set(missing)].toSorted().join(', ');
    throw new ContainerConfigError(`missing value for ${names}`);
  }
  return expand(text);
}
