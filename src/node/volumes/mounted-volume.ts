import { chmod, chown, mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Pod, Volume } from '../../api/core/v1/pod.ts';
import {
  configMapsOfVolume,
  secretsOfVolume,
  type ReferencedKind,
} from '../../api/core/v1/pod/pod-references.ts';
import { createAtomicWriter, type AtomicWriter } from './atomic-writer.ts';
import type { Tmpfs } from './mounts.ts';
import type { ContentPlugin, Sources } from './plugin.ts';
import { contentPluginOf, folderPluginOf } from './plugins.ts';

/** One volume of one pod. Work on it is done one piece after another. */
export interface MountedVolume {
  /** On the node. */
  readonly path: string;
  /** Whether Keylet writes its content, so that no container may. */
  readonly readOnly: boolean;
  /** Puts it in place, or brings it up to date with the pod. Idempotent. @throws Error */
  mount(pod: Pod, mounted: MountTable): Promise<void>;
  /** Collects and writes its content anew, once it is in place. @throws Error; the old content stays */
  refresh(): Promise<void>;
  uses(kind: ReferencedKind, name: string): boolean;
  /** Resolves when nothing more is done to it. */
  close(): Promise<void>;
}

/** The mount points of the moment, read when first asked for. */
export type MountTable = () => Promise<ReadonlySet<string>>;

export interface MountedVolumeOptions extends Omit<Sources, 'pod'> {
  readonly volume: Volume;
  /** `<pod>/volumes`. */
  readonly volumesFolder: string;
  readonly tmpfs: Tmpfs;
  /** A refresh that nobody waits for failed. */
  readonly onRefreshFailed: (pod: Pod, message: string) => void;
}

/** @throws Error where there is no plug-in for the volume */
export function createMountedVolume(options: MountedVolumeOptions): MountedVolume {
  const plugin = contentPluginOf(options.volume);
  return plugin === undefined ? folderVolume(options) : contentVolume(plugin, options);
}

function folderVolume({ volume, volumesFolder, tmpfs }: MountedVolumeOptions): MountedVolume {
  const plugin = folderPluginOf(volume);
  const dir = plugin.path(volume, volumesFolder);
  const inTurn = createTurns();
  let ready = false;
  return {
    path: dir,
    readOnly: false,
    mount: (pod, mounted) =>
      inTurn(async () => {
        if (ready) return;
        const already = (await mounted()).has(dir);
        await plugin.setUp({ pod, volume, path: dir, mounted: already, tmpfs });
        ready = true;
      }),
    refresh: () => Promise.resolve(),
    uses: () => false,
    close: () => inTurn(() => Promise.resolve()),
  };
}

/** How soon content that has a time to be renewed at is tried again. */
const retryMs = 10_000;
/** The longest that setTimeout can count. */
const maxTimerMs = 2 ** 31 - 1;

function contentVolume(
  plugin: ContentPlugin,
  { volume, volumesFolder, tmpfs, onRefreshFailed, ...sources }: MountedVolumeOptions,
): MountedVolume {
  const dir = path.join(volumesFolder, plugin.folder, volume.name);
  const used = { Secret: secretsOfVolume(volume), ConfigMap: configMapsOfVolume(volume) };
  const inTurn = createTurns();
  let mountedFor: Pod | undefined;
  let writer: AtomicWriter | undefined;
  let refreshing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  /** The content is collected before anything is touched: what fails leaves the old in place. */
  const bringUpToDate = async (pod: Pod, place: () => Promise<AtomicWriter>): Promise<void> => {
    const { payload, refreshAtMs } = await plugin.collect(volume, { ...sources, pod });
    if (closed) return;
    writer = await place();
    writer.write(payload);
    mountedFor = pod;
    if (refreshAtMs !== undefined) refreshIn(refreshAtMs - Date.now());
  };
  const refreshIn = (ms: number): void => {
    clearTimeout(timer);
    if (closed) return;
    timer = setTimeout(
      () => {
        refresh().catch((error: unknown) => {
          refreshIn(retryMs);
          if (mountedFor !== undefined) onRefreshFailed(mountedFor, (error as Error).message);
        });
      },
      Math.min(Math.max(ms, 0), maxTimerMs),
    );
  };
  // Changes that come while one waits for its turn are seen by that one.
  const refresh = (): Promise<void> =>
    (refreshing ??= inTurn(async () => {
      refreshing = undefined;
      const [pod, ready] = [mountedFor, writer];
      if (pod !== undefined && ready !== undefined && !closed) {
        await bringUpToDate(pod, () => Promise.resolve(ready));
      }
    }));

  return {
    path: dir,
    readOnly: true,
    mount: (pod, mounted) =>
      inTurn(async () => {
        const ready = writer;
        if (ready === undefined) {
          await bringUpToDate(pod, async () => {
            const { fsGroup } = pod.spec.securityContext ?? {};
            await placeFolder(dir, {
              fsGroup,
              mount:
                plugin.medium === 'disk' || (await mounted()).has(dir)
                  ? undefined
                  : () => tmpfs(dir, { mode: '1777' }),
            });
            return createAtomicWriter(dir, fsGroup);
          });
        } else if (marksOf(pod) !== marksOf(mountedFor)) {
          await bringUpToDate(pod, () => Promise.resolve(ready));
        }
      }),
    refresh,
    uses: (kind, name) => used[kind].includes(name),
    close() {
      closed = true;
      clearTimeout(timer);
      return inTurn(() => Promise.resolve());
    },
  };
}

async function placeFolder(
  dir: string,
  { fsGroup, mount }: { fsGroup: number | undefined; mount: (() => Promise<void>) | undefined },
): Promise<void> {
  await mkdir(dir, { recursive: true });
  if (mount === undefined) await chmod(dir, 0o777 | ((await stat(dir)).mode & 0o1000));
  else await mount();
  if (fsGroup === undefined) return;
  await chown(dir, 0, fsGroup);
  await chmod(dir, ((await stat(dir)).mode & 0o7777) | 0o2550);
}

/** What of a pod may change while it lives and be in its volumes. */
const marksOf = (pod: Pod | undefined): string =>
  JSON.stringify([pod?.metadata.labels, pod?.metadata.annotations]);

/** Runs what it is given one after another, whatever became of the one before. */
function createTurns(): (work: () => Promise<void>) => Promise<void> {
  let last: Promise<unknown> = Promise.resolve();
  return work => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
}
