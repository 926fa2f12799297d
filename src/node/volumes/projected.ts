import type { VolumeProjection } from '../../api/core/v1/pod/volume-schema.ts';
import { aggregate } from './aggregate.ts';
import { configMapFiles } from './config-map.ts';
import { downwardFiles } from './downward-api.ts';
import { projectedFile, type FileDefaults, type ProjectedFile } from './payload.ts';
import type { Collected, ContentPlugin, Sources } from './plugin.ts';
import { secretFiles } from './secret.ts';

/** In memory as a whole: any of its sources may be a Secret or a token. */
export const projectedPlugin: ContentPlugin = {
  folder: 'kubernetes.io~projected',
  medium: 'tmpfs',
  async collect({ projected: { sources = [], ...defaults } = {} }, from) {
    const files = new Map<string, ProjectedFile>();
    const failures: unknown[] = [];
    let refreshAtMs = Infinity;
    for (const source of sources) {
      try {
        const collected = await collectSource(source, defaults, from);
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
  { defaultMode, defaultUser }: FileDefaults,
  from: Sources,
): Promise<Collected> {
  const defaults = { defaultMode, defaultUser };
  if (secret !== undefined) {
    return { payload: await secretFiles(secret.name ?? '', { ...secret, ...defaults }, from) };
  }
  if (configMap !== undefined) {
    const selection = { ...configMap, ...defaults };
    return { payload: await configMapFiles(configMap.name ?? '', selection, from) };
  }
  if (downwardAPI !== undefined) {
    return { payload: downwardFiles(from.pod, downwardAPI.items, defaults) };
  }
  if (serviceAccountToken === undefined) return { payload: new Map() };
  const { token, refreshAtMs } = await from.tokens.get(from.pod, serviceAccountToken);
  const file = tokenFile(Buffer.from(token), { ...defaults, ...serviceAccountToken }, from.pod);
  return { payload: new Map([[serviceAccountToken.path, file]]), refreshAtMs };
}

/**
 * Only its user may read a token where it is known who that is; with fsGroup the group may too (KEP-2451). An owner
 * that the volume names is one that someone chose, and so is the mode beside it (KEP-5936).
 */
function tokenFile(
  data: Buffer,
  { user, ...defaults }: FileDefaults & { readonly user?: number | undefined },
  pod: Sources['pod'],
): ProjectedFile {
  const chosen = user ?? defaults.defaultUser;
  const common = chosen === undefined ? commonUser(pod) : undefined;
  const narrow = common !== undefined || pod.spec.securityContext?.fsGroup !== undefined;
  return projectedFile(
    data,
    { user: chosen ?? common, mode: narrow ? 0o600 : undefined },
    defaults,
  );
}

/** The one user that all containers run as, if there is one. Ephemeral containers come too late to count. */
function commonUser({ spec }: Sources['pod']): number | undefined {
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const users = new Set(
    containers.map(each => each.securityContext?.runAsUser ?? spec.securityContext?.runAsUser),
  );
  return users.size === 1 ? [...users][0] : undefined;
}
