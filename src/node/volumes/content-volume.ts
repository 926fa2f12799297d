import { statSync } from 'node:fs';
import path from 'node:path';
import type { Pod } from '../../api/core/v1/pod.ts';
import { configMapsOfVolume, secretsOfVolume } from '../../api/core/v1/pod/pod-references.ts';
import { createAtomicWriter, type AtomicWriter } from './atomic-writer.ts';
import { placeFolder } from './content-folder.ts';
import { heldVersions } from './held-versions.ts';
import type { MountedVolume, MountedVolumeOptions, MountTable } from './mounted-volume.ts';
import { readMountTable } from './mounts.ts';
import { makeNestedMountPoints } from './nested-mount-points.ts';
import type { Collected, ContentPlugin } from './plugin.ts';
import { createTurns } from './turns.ts';

/** How soon content that has a time to be renewed at is tried again. */
const retryMs = 10_000;
/** The clock may be set meanwhile: what has a time to be renewed at is looked at this often. */
const maxRefreshMs = 10 * 60_000;
/** How long a version stays after the next one took its place. */
const sweepMs = 100;

/** A volume whose files Keylet writes, and writes anew when what they come from changes. */
export function createContentVolume(
  plugin: ContentPlugin,
  { volume, volumesFolder, tmpfs, pace, onRefreshFailed, ...sources }: MountedVolumeOptions,
): MountedVolume {
  const dir = path.join(volumesFolder, plugin.folder, volume.name);
  const used = { Secret: secretsOfVolume(volume), ConfigMap: configMapsOfVolume(volume) };
  const inTurn = createTurns();
  /** Once it is whole. */
  let placed:
    { readonly writer: AtomicWriter; readonly pod: Pod; readonly identity: string } | undefined;
  let refreshing: Promise<boolean> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let sweeper: NodeJS.Timeout | undefined;
  let closed = false;

  const collect = (pod: Pod): Promise<Collected> => plugin.collect(volume, { ...sources, pod });

  const write = (writer: AtomicWriter, pod: Pod, { payload, refreshAtMs }: Collected): void => {
    if (writer.write(payload)) sweepLater(writer);
    placed = { writer, pod, identity: identityOf(dir) };
    if (refreshAtMs !== undefined) refreshIn(refreshAtMs - Date.now());
  };

  const sweepLater = (writer: AtomicWriter): void => {
    sweeper ??= setTimeout(() => {
      const sweep = (): Promise<void> => {
        sweeper = undefined;
        if (!closed && writer.sweep(sweepMs)) sweepLater(writer);
        return Promise.resolve();
      };
      // What could not be taken away is tried again with the next version.
      pace.run(sweep).catch(() => undefined);
    }, sweepMs);
  };

  /** Who unmounts it must not make a Secret's value land on the disk below. */
  const isInPlace = (): boolean => placed !== undefined && placed.identity === identityOf(dir);

  /**
   * The content is collected before anything is touched: what fails leaves the old in place.
   * @returns whether it had to be mounted
   */
  const bringUpToDate = async (pod: Pod, mounted: MountTable): Promise<boolean> => {
    const collected = await collect(pod);
    if (closed) return false;
    if (placed === undefined || !isInPlace()) return setUp(pod, collected, mounted);
    write(placed.writer, pod, collected);
    return false;
  };

  const setUp = async (pod: Pod, collected: Collected, mounted: MountTable): Promise<boolean> => {
    const { fsGroup } = pod.spec.securityContext ?? {};
    const there = plugin.medium === 'disk' || (await mounted()).has(dir);
    const undo = await placeFolder(dir, { medium: there ? undefined : tmpfs, fsGroup });
    try {
      await makeNestedMountPoints(dir, volume.name, pod);
      const held = heldVersions(path.dirname(volumesFolder), volume.name, pod);
      write(createAtomicWriter(dir, { gid: fsGroup, held }), pod, collected);
      return !there;
    } catch (error) {
      await undo();
      throw error;
    }
  };

  const refreshIn = (ms: number): void => {
    clearTimeout(timer);
    if (closed) return;
    timer = setTimeout(
      () => {
        refresh().catch((error: unknown) => {
          refreshIn(retryMs);
          if (placed !== undefined) onRefreshFailed(placed.pod, (error as Error).message);
        });
      },
      Math.min(Math.max(ms, 0), maxRefreshMs),
    );
  };
  // Changes that come while one waits for its turn are seen by that one.
  const refresh = (): Promise<boolean> =>
    (refreshing ??= inTurn(() =>
      pace.run(async () => {
        refreshing = undefined;
        return placed !== undefined && !closed && bringUpToDate(placed.pod, readMountTable());
      }),
    ));

  return {
    path: dir,
    readOnly: true,
    mount: (pod, mounted) =>
      inTurn(async () => {
        if (isInPlace() && placed !== undefined) {
          if (marksOf(pod) === marksOf(placed.pod)) return false;
          await makeNestedMountPoints(dir, volume.name, pod);
        }
        return bringUpToDate(pod, mounted);
      }),
    refresh,
    uses: (kind, name) => used[kind].includes(name),
    close() {
      closed = true;
      clearTimeout(timer);
      clearTimeout(sweeper);
      return inTurn(() => Promise.resolve());
    },
  };
}

/** Of the folder that is there under this name, and of the file system that it is of. */
function identityOf(dir: string): string {
  const found = statSync(dir, { throwIfNoEntry: false });
  return found === undefined ? '' : `${found.dev} ${found.ino}`;
}

/** What of a pod may change while it lives and matters to its volumes. */
const marksOf = ({ metadata, spec }: Pod): string =>
  JSON.stringify([
    metadata.labels,
    metadata.annotations,
    spec.ephemeralContainers?.map(each => each.volumeMounts),
  ]);
