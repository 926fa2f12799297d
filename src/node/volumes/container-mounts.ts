import path from 'node:path';
import type { Container, VolumeMount } from '../../api/core/v1/pod.ts';
import { namesIn } from '../env/expand.ts';
import type { Mount } from '../runtime/runtime.ts';
import type { MountedVolume } from './mounted-volume.ts';
import { bindSubPath } from './sub-path.ts';

export interface ContainerMountsRequest {
  readonly container: Container;
  readonly volumes: ReadonlyMap<string, MountedVolume>;
  /** `<pod>`: sub-paths are bound below it. */
  readonly podFolder: string;
  /** Expands `$(NAME)` from the variables of the container. */
  readonly expand: (text: string) => string;
}

/** What of its pod's volumes a container sees, and where. @throws Error with the kubelet's text */
export async function containerMounts(request: ContainerMountsRequest): Promise<Mount[]> {
  const { container, volumes } = request;
  const mounts: Mount[] = [];
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const volume = volumes.get(mount.name);
    if (volume === undefined) {
      throw new Error(
        `cannot find volume "${mount.name}" to mount into container "${container.name}"`,
      );
    }
    mounts.push({
      containerPath: path.posix.resolve('/', mount.mountPath),
      hostPath: await hostPathOf(request, { mount, index, volume }),
      readonly: mount.readOnly === true || volume.readOnly,
      propagation: propagations[mount.mountPropagation ?? 'None'],
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
    throw new Error(`error SubPath \`${subPath}\` must not be an absolute path`);
  }
  if (subPath.split('/').includes('..')) {
    throw new Error(`unable to provision SubPath \`${subPath}\`: must not contain '..'`);
  }
  const target = path.join(podFolder, 'volume-subpaths', mount.name, container.name, String(index));
  try {
    await bindSubPath({ volumePath: volume.path, subPath, target });
  } catch (error) {
    throw new Error(
      `failed to prepare subPath for volumeMount "${mount.name}" of container "${container.name}"`,
      { cause: error },
    );
  }
  return target;
}

/** In a path, unlike in a command, every name has to have a value. */
function expandAll(text: string, expand: (text: string) => string): string {
  const missing = namesIn(text).find(name => expand(`$(${name})`) === `$(${name})`);
  if (missing !== undefined) throw new Error(`missing value for "${missing}"`);
  return expand(text);
}
