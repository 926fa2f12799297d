import type { Pod, Volume } from '../../api/core/v1/pod.ts';
import type { References } from '../references/references.ts';
import type { Tmpfs } from './mounts.ts';
import type { Payload } from './payload.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';

export interface Sources {
  readonly pod: Pod;
  readonly references: Pick<References, 'getSecret' | 'getConfigMap'>;
  readonly tokens: ServiceAccountTokens;
}

export interface Collected {
  readonly payload: Payload;
  /** When the content has to be collected anew though no object changed. Milliseconds since the epoch. */
  readonly refreshAtMs?: number;
}

/** A volume whose files Keylet writes, and writes anew when their sources change. */
export interface ContentPlugin {
  /** Name of its folder in `<pod>/volumes`, as the kubelet's. */
  readonly folder: string;
  /** Secrets are in memory only. */
  readonly medium: 'tmpfs' | 'disk';
  /** @throws Error with the kubelet's text; nothing has been touched then */
  collect(volume: Volume, sources: Sources): Promise<Collected>;
}

export interface FolderRequest {
  readonly pod: Pod;
  readonly volume: Volume;
  /** Where the volume is, as `path` answered. */
  readonly path: string;
  readonly mounted: boolean;
  readonly tmpfs: Tmpfs;
}

/** A volume that is only put in place; what is in it is the containers' business. */
export interface FolderPlugin {
  /** Its path on the node. @param volumesFolder `<pod>/volumes` */
  path(volume: Volume, volumesFolder: string): string;
  setUp(request: FolderRequest): Promise<void>;
}
