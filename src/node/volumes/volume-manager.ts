import { mkdirSync, realpathSync } from 'node:fs';
import { readdir, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { guard } from '../../machinery/unexpected.ts';
import type { Container, Pod, VolumeMountStatus } from '../../api/core/v1/pod.ts';
import { containersOf } from '../../api/core/v1/pod/pod-references.ts';
import type { KubeClient } from '../../client/client.ts';
import type { Logger } from '../../machinery/log.ts';
import type { References } from '../references/references.ts';
import type { Mount } from '../runtime/runtime.ts';
import { containerMounts } from './container-mounts.ts';
import { createMountedVolume } from './create-mounted-volume.ts';
import { mountStatuses } from './mount-status.ts';
import type { MountedVolume } from './mounted-volume.ts';
import { createTmpfs, readMountTable, unmountUnder } from './mounts.ts';
import { createPace } from './pace.ts';
import { createServiceAccountTokens } from './service-account-tokens.ts';

export interface VolumeFailure {
  readonly volume: string;
  /** The kubelet's text, such as `secret "x" not found`. */
  readonly message: string;
}

/** Some volumes of a pod could not be set up; the others are. */
export class VolumeSetupError extends Error {
  readonly failures: readonly VolumeFailure[];

  constructor(failures: readonly VolumeFailure[]) {
    super(failures.map(({ volume, message }) => `volume "${volume}": ${message}`).join('; '));
    this.name = 'VolumeSetupError';
    this.failures = failures;
  }
}

/** The volumes of the pods on this node, from the first container's start to the last one's end. */
export interface VolumeManager {
  /**
   * Idempotent, and cheap when nothing changed.
   * @returns names of volumes in memory that had to be mounted: containers that run do not see those
   * @throws VolumeSetupError
   */
  mountAll(pod: Pod): Promise<readonly string[]>;
  /** For a container about to be made: binds its sub-paths. @throws Error with the kubelet's text */
  containerMounts(
    pod: Pod,
    container: Container,
    expand: (text: string) => string,
  ): Promise<Mount[]>;
  /** How its volumes are mounted, as its status tells it. */
  mountStatuses(container: Container): VolumeMountStatus[];
  /** Writes every mounted volume anew from its sources: the periodic sync of strategies Cache and Get. */
  refreshAll(): Promise<void>;
  /** Unmounts and removes all volumes of the pod. Idempotent. @throws Error where a mount remains */
  unmountAll(podUid: string): Promise<void>;
  /** Pods that have anything on disk: of this agent, or of one before it. */
  podUidsOnDisk(): Promise<string[]>;
  /** A mounted volume could not follow a change; its old content stays. */
  onRefreshFailed(listener: (pod: Pod, failure: VolumeFailure) => void): void;
  /** Somebody had unmounted a volume that had to follow a change; it is mounted anew. */
  onRemounted(listener: (pod: Pod, volume: string) => void): void;
  /** Ends timers and waits for work under way. Leaves the mounts: pods may outlive the agent. */
  close(): Promise<void>;
}

export interface VolumeManagerOptions {
  readonly dataDir: string;
  readonly references: References;
  readonly client: KubeClient;
  /** Whether the runtime has this feature. */
  readonly recursiveReadOnlyMounts: boolean;
  readonly log: Logger;
}

interface PodVolumes {
  pod: Pod;
  readonly volumes: Map<string, MountedVolume>;
}

export function createVolumeManager({
  dataDir,
  references,
  client,
  recursiveReadOnlyMounts,
  log,
}: VolumeManagerOptions): VolumeManager {
  const podsFolder = path.join(path.resolve(dataDir), 'pods');
  mkdirSync(podsFolder, { recursive: true, mode: 0o750 });
  // The mount table has real paths only.
  const root = realpathSync(podsFolder);
  const tmpfs = createTmpfs();
  const pace = createPace();
  const tokens = createServiceAccountTokens({ client, log });
  const pods = new Map<string, PodVolumes>();
  const ending = new Map<string, Promise<void>>();
  const listeners: ((pod: Pod, failure: VolumeFailure) => void)[] = [];
  const remountListeners: ((pod: Pod, volume: string) => void)[] = [];

  const folderOf = (uid: string): string => {
    if (!isUid(uid)) throw new TypeError(`Cannot name a folder after uid "${uid}"`);
    return path.join(root, uid);
  };
  const failed = (pod: Pod, failure: VolumeFailure): void => {
    for (const listener of listeners) listener(pod, failure);
  };
  const volumeOf = (held: PodVolumes, name: string): MountedVolume => {
    const known = held.volumes.get(name);
    if (known !== undefined) return known;
    const volume = held.pod.spec.volumes?.find(each => each.name === name);
    if (volume === undefined) throw new Error(`volume "${name}" not found`);
    const made = createMountedVolume({
      volume,
      volumesFolder: path.join(folderOf(held.pod.metadata.uid ?? ''), 'volumes'),
      references,
      tokens,
      tmpfs,
      pace,
      onRefreshFailed: (pod, message) => failed(pod, { volume: name, message }),
    });
    held.volumes.set(name, made);
    return made;
  };
  const refresh = async (held: PodVolumes, name: string, volume: MountedVolume): Promise<void> => {
    try {
      if (!(await volume.refresh())) return;
      for (const listener of remountListeners) listener(held.pod, name);
    } catch (error) {
      failed(held.pod, { volume: name, message: (error as Error).message });
    }
  };

  const refreshGuarded = guard({ operation: 'refresh of a volume' }, refresh);
  references.onChange(({ kind, namespace, name, podUids }) => {
    for (const uid of podUids) {
      const held = pods.get(uid);
      if (held === undefined || held.pod.metadata.namespace !== namespace) continue;
      for (const [volumeName, volume] of held.volumes) {
        if (volume.uses(kind, name)) refreshGuarded(held, volumeName, volume);
      }
    }
  });

  const end = async (uid: string): Promise<void> => {
    const folder = folderOf(uid);
    const held = pods.get(uid);
    pods.delete(uid);
    tokens.forget(uid);
    await Promise.all([...(held?.volumes.values() ?? [])].map(volume => volume.close()));
    await unmountUnder(folder);
    for (const name of ['volumes', 'volume-subpaths'])
      await rm(path.join(folder, name), { recursive: true, force: true });
    // What is not of volumes is others' to remove.
    await rmdir(folder).catch(() => undefined);
  };

  return {
    async mountAll(pod) {
      const uid = pod.metadata.uid ?? '';
      await ending.get(uid)?.catch(() => undefined);
      const held = pods.get(uid) ?? { pod, volumes: new Map<string, MountedVolume>() };
      held.pod = pod;
      pods.set(uid, held);
      const table = readMountTable();
      const mounted: string[] = [];
      const failures: VolumeFailure[] = [];
      await Promise.all(
        usedVolumes(pod).map(async name => {
          try {
            if (await volumeOf(held, name).mount(pod, table)) mounted.push(name);
          } catch (error) {
            failures.push({ volume: name, message: (error as Error).message });
          }
        }),
      );
      if (failures.length > 0) throw new VolumeSetupError(failures);
      return mounted;
    },
    async containerMounts(pod, container, expand) {
      const uid = pod.metadata.uid ?? '';
      const volumes = pods.get(uid)?.volumes ?? new Map<string, MountedVolume>();
      return containerMounts({
        container,
        volumes,
        podFolder: folderOf(uid),
        expand,
        recursiveReadOnlyMounts,
      });
    },
    mountStatuses: container => mountStatuses(container, recursiveReadOnlyMounts),
    async refreshAll() {
      await Promise.all(
        [...pods.values()].flatMap(held =>
          [...held.volumes].map(([name, volume]) => refresh(held, name, volume)),
        ),
      );
    },
    unmountAll(uid) {
      const under = ending.get(uid);
      if (under !== undefined) return under;
      const work = end(uid).finally(() => ending.delete(uid));
      ending.set(uid, work);
      return work;
    },
    async podUidsOnDisk() {
      const entries = await readdir(root, { withFileTypes: true });
      return entries.filter(each => each.isDirectory() && isUid(each.name)).map(each => each.name);
    },
    onRefreshFailed(listener) {
      listeners.push(listener);
    },
    onRemounted(listener) {
      remountListeners.push(listener);
    },
    async close() {
      const volumes = [...pods.values()].flatMap(held => [...held.volumes.values()]);
      await Promise.all([...volumes.map(volume => volume.close()), ...ending.values()]);
    },
  };
}

/** What may be the name of a pod's folder. */
const isUid = (name: string): boolean => /^[\w-][\w.-]*$/.test(name);

/** A volume that no container mounts is not set up, as in the kubelet: it cannot keep a pod waiting. */
function usedVolumes({ spec }: Pod): string[] {
  const used = new Set(
    containersOf(spec).flatMap(each => (each.volumeMounts ?? []).map(({ name }) => name)),
  );
  return (spec.volumes ?? []).map(({ name }) => name).filter(name => used.has(name));
}
