import type { Volume } from '../../../../api/core/v1/pod.ts';
import type { Check, CheckPod } from '../check.ts';
import { distinct, plural, quoted } from '../wording.ts';
import { hostPathVolumes } from './host-path-volumes.ts';

const allowed = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'persistentVolumeClaim',
  'projected',
  'secret',
] as const;
const forbidden = ['hostPath', 'nfs'] as const;

const isAllowed = (volume: Volume): boolean => allowed.some(each => volume[each] !== undefined);
const typeOf = (volume: Volume): string =>
  forbidden.find(each => volume[each] !== undefined) ?? 'unknown';

const check: CheckPod = ({ spec }) => {
  const bad = (spec.volumes ?? []).filter(each => !isAllowed(each));
  if (bad.length === 0) return undefined;
  const names = bad.map(({ name }) => name);
  const types = distinct(bad.map(typeOf));
  const use = plural(names.length, 'uses', 'use');
  const what = plural(types.length, 'restricted volume type', 'restricted volume types');
  return {
    reason: 'restricted volume types',
    detail: `${plural(names.length, 'volume', 'volumes')} ${quoted(names)} ${use} ${what} ${quoted(types)}`,
  };
};

/** Pods may only use volume types that do not expose the node. */
export const restrictedVolumes: Check = {
  id: 'restrictedVolumes',
  level: 'restricted',
  versions: [{ since: 0, check, overrides: [hostPathVolumes.id] }],
};
