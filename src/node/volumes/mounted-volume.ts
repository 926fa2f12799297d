import type { Pod, Volume } from '../../api/core/v1/pod.ts';
import type { ReferencedKind } from '../../api/core/v1/pod/pod-references.ts';
import type { Tmpfs } from './mounts.ts';
import type { Pace } from './pace.ts';
import type { Sources } from './plugin.ts';

/** One volume of one pod. Work on it is done one piece after another. */
export interface MountedVolume {
  /** On the node. */
  readonly path: string;
  /** Whether Keylet writes its content, so that no container may. */
  readonly readOnly: boolean;
  /**
   * Puts it in place, or brings it up to date with the pod. Idempotent.
   * @returns whether a mount of its own was made: containers that run do not see it
   * @throws Error; it is as it was
   */
  mount(pod: Pod, mounted: MountTable): Promise<boolean>;
  /** Collects and writes its content anew, once it is in place. As `mount`. @throws Error; the old content stays */
  refresh(): Promise<boolean>;
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
  /** Of all volumes together. */
  readonly pace: Pace;
  /** A refresh that nobody waits for failed. */
  readonly onRefreshFailed: (pod: Pod, message: string) => void;
}
