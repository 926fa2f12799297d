import path from 'node:path';
import type { Pod } from '../../api/core/v1/pod.ts';
import { configMapsOfVolume, secretsOfVolume } from '../../api/core/v1/pod/pod-references.ts';
import { createAtomicWriter, type AtomicWriter } from './atomic-writer.ts';
import { placeFolder } from './content-folder.ts';
import { heldVersions } from './held-versions.ts';
import type { MountedVolume, MountedVolumeOptions, MountTable } from './mounted-volume.ts';
import { makeNestedMountPoints } from './nested-mount-points.ts';
import type { Collected, ContentPlugin } from './plugin.ts';
import { createTurns } from './turns.ts';

/** How soon content that has a time to be renewed at is tried again. */
const retryMs = 10_000;
/** How long a version stays after the next one took its place. */
const sweepMs = 100;
/** The longest that setTimeout can count. */
const maxTimerMs = 2 ** 31 - 1;

/** A volume whose files Keylet writes, and writes anew when what they come from changes. */
export function createContentVolume(
  plugin: ContentPlugin,
  { volume, volumesFolder, tmpfs, pace, onRefreshFailed, ...sources }: MountedVolumeOptions,
): MountedVolume {
  const dir = path.join(volumesFolder, plugin.folder, volume.name);
  const used = { Secret: secretsOfVolume(volume), ConfigMap: configMapsOfVolume(volume) };
  const inTurn = createTurns();
  /** Once it is whole. */
  let placed: { readonly writer: AtomicWriter; readonly pod: Pod } | undefined;
  let refreshing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let sweeper: NodeJS.Timeout | undefined;
  let closed = false;

  const collect = (pod: Pod): Promise<Collected> => plugin.collect(volume, { ...sources, pod });

  const write = (writer: AtomicWriter, pod: Pod, { payload, refreshAtMs }: Collected): void => {
    if (writer.write(payload)) sweepLater(writer);
    placed = { writer, pod };
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

  /** The content is collected before anything is touched: what fails leaves the old in place. */
  const update = async (writer: AtomicWriter, pod: Pod): Promise<void> => {
    const collected = await collect(pod);
    if (!closed) write(writer, pod, collected);
  };

  const setUp = async (pod: Pod, mounted: MountTable): Promise<void> => {
    const collected = await collect(pod);
    if (closed) return;
    const { fsGroup } = pod.spec.securityContext ?? {};
    const there = plugin.medium === 'disk' || (await mounted()).has(dir);
    const undo = await placeFolder(dir, { medium: there ? undefined : tmpfs, fsGroup });
    try {
      await makeNestedMountPoints(dir, volume.name, pod);
      const held = heldVersions(path.dirname(volumesFolder), volume.name, pod);
      write(createAtomicWriter(dir, { gid: fsGroup, held }), pod, collected);
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
      Math.min(Math.max(ms, 0), maxTimerMs),
    );
  };
  // Changes that come while one waits for its turn are seen by that one.
  const refresh = (): Promise<void> =>
    (refreshing ??= inTurn(() =>
      pace.run(async () => {
        refreshing = undefined;
        if (placed !== undefined && !closed) await update(placed.writer, placed.pod);
      }),
    ));

  return {
    path: dir,
    readOnly: true,
    mount: (pod, mounted) =>
      inTurn(async () => {
        if (placed === undefined) await setUp(pod, mounted);
        else if (marksOf(pod) !== marksOf(placed.pod)) {
          await makeNestedMountPoints(dir, volume.name, pod);
          await update(placed.writer, pod);
        }
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

/** What of a pod may change while it lives and matters to its volumes. */
const marksOf = ({ metadata, spec }: Pod): string =>
  JSON.stringify([
    metadata.labels,
    metadata.annotations,
    spec.ephemeralContainers?.map(each => each.volumeMounts),
  ]);
