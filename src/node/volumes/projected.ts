import type { VolumeProjection } from '../../api/core/v1/pod/volume-schema.ts';
import { aggregate } from './aggregate.ts';
import { configMapFiles } from './config-map.ts';
import { downwardFiles } from './downward-api.ts';
import { defaultFileMode, type ProjectedFile } from './payload.ts';
import type { Collected, ContentPlugin, Sources } from './plugin.ts';
import { secretFiles } from './secret.ts';

/** In memory as a whole: any of its sources may be a Secret or a token. */
export const projectedPlugin: ContentPlugin = {
  folder: 'kubernetes.io~projected',
  medium: 'tmpfs',
  async collect({ projected: { sources = [], defaultMode = defaultFileMode } = {} }, from) {
    const files = new Map<string, ProjectedFile>();
    const failures: unknown[] = [];
    let refreshAtMs = Infinity;
    for (const source of sources) {
      try {
        const collected = await collectSource(source, defaultMode, from);
        for (const [path, file] of collected.payload) files.set(path, file);
        refreshAtMs = Math.min(refreshAtMs, collected.refreshAtMs ?? Infinity);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw aggregate(failures);
    return { payload: files, ...(refreshAtMs === Infinity ? {} : { refreshAtMs }) };
  },
};

async function collectSource(
  { secret, configMap, downwardAPI, serviceAccountToken }: VolumeProjection,
  defaultMode: number,
  from: Sources,
): Promise<Collected> {
  if (secret !== undefined) {
    return { payload: await secretFiles(secret.name ?? '', { ...secret, defaultMode }, from) };
  }
  if (configMap !== undefined) {
    const selection = { ...configMap, defaultMode };
    return { payload: await configMapFiles(configMap.name ?? '', selection, from) };
  }
  if (downwardAPI !== undefined) {
    return { payload: downwardFiles(from.pod, downwardAPI.items, defaultMode) };
  }
  if (serviceAccountToken === undefined) return { payload: new Map() };
  const { token, refreshAtMs } = await from.tokens.get(from.pod, serviceAccountToken);
  return {
    payload: new Map([[serviceAccountToken.path, tokenFile(token, defaultMode, from)]]),
    refreshAtMs,
  };
}

/** Only its user may read a token where it is known who that is; with fsGroup the group may too. */
function tokenFile(token: string, defaultMode: number, { pod }: Sources): ProjectedFile {
  const uid = commonUser(pod);
  const narrow = uid !== undefined || pod.spec.securityContext?.fsGroup !== undefined;
  return {
    data: Buffer.from(token),
    mode: narrow ? 0o600 : defaultMode,
    ...(uid === undefined ? {} : { uid }),
  };
}

/** The one user that all containers run as, if there is one. */
function commonUser({ spec }: Sources['pod']): number | undefined {
  const containers = [
    ...(spec.initContainers ?? []),
    ...spec.containers,
    ...(spec.ephemeralContainers ?? []),
  ];
  const users = new Set(
    containers.map(each => each.securityContext?.runAsUser ?? spec.securityContext?.runAsUser),
  );
  return users.size === 1 ? [...users][0] : undefined;
}
