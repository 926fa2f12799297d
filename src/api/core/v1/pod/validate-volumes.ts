import {
  duplicate,
  forbidden,
  invalid,
  notSupported,
  requiredField,
  type FieldError,
  type FieldPath,
} from '../../../../machinery/field-error.ts';
import { dns1123Label } from '../../../../machinery/validation/names.ts';
import {
  validateDefaults,
  validateDownward,
  validateItems,
  validateLocalPath,
  validateUser,
} from './validate-volume-files.ts';
import { volumeSources, type Volume, type VolumeProjection } from './volume-schema.ts';

export function validateVolumes(volumes: readonly Volume[], at: FieldPath): FieldError[] {
  const seen = new Set<string>();
  return volumes.flatMap((volume, i) => {
    const here = at.index(i);
    const errors = [
      ...(volume.name
        ? dns1123Label(volume.name).map(text => invalid(here.child('name'), volume.name, text))
        : [requiredField(here.child('name'))]),
      ...(seen.has(volume.name) ? [duplicate(here.child('name'), volume.name)] : []),
      ...validateSource(volume, here),
    ];
    seen.add(volume.name);
    return errors;
  });
}

function validateSource(volume: Volume, at: FieldPath): FieldError[] {
  const given = Object.keys(volumeSources).filter(
    name => volume[name as keyof typeof volumeSources] !== undefined,
  );
  if (given.length === 0) return [requiredField(at, 'must specify a volume type')];
  const errors = given
    .slice(1)
    .map(name => forbidden(at.child(name), 'may not specify more than 1 volume type'));
  const { secret, configMap, projected, downwardAPI, hostPath } = volume;
  if (secret !== undefined) {
    const here = at.child('secret');
    if (!secret.secretName) errors.push(requiredField(here.child('secretName')));
    errors.push(...validateDefaults(secret, here), ...validateItems(secret.items, here));
  }
  if (configMap !== undefined) {
    const here = at.child('configMap');
    if (!configMap.name) errors.push(requiredField(here.child('name')));
    errors.push(...validateDefaults(configMap, here), ...validateItems(configMap.items, here));
  }
  if (downwardAPI !== undefined) {
    const here = at.child('downwardAPI');
    errors.push(
      ...validateDefaults(downwardAPI, here),
      ...validateDownward(downwardAPI.items, here),
    );
  }
  if (projected !== undefined) errors.push(...validateProjected(projected, at.child('projected')));
  if (hostPath !== undefined) errors.push(...validateHostPath(hostPath, at.child('hostPath')));
  return errors;
}

const hostPathTypes = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

function validateHostPath(
  { path: hostPath, type = '' }: NonNullable<Volume['hostPath']>,
  at: FieldPath,
): FieldError[] {
  if (!hostPath) return [requiredField(at.child('path'))];
  return [
    ...(hostPath.split('/').includes('..')
      ? [invalid(at.child('path'), hostPath, "must not contain '..'")]
      : []),
    ...(hostPathTypes.includes(type) ? [] : [notSupported(at.child('type'), type, hostPathTypes)]),
  ];
}

function validateProjected(
  { sources = [], ...defaults }: NonNullable<Volume['projected']>,
  at: FieldPath,
): FieldError[] {
  const taken = new Set<string>();
  const errors = validateDefaults(defaults, at);
  const take = (target: string, name: string): void => {
    if (!target) return;
    if (taken.has(target)) errors.push(invalid(at, name, `conflicting duplicate paths`));
    taken.add(target);
  };
  sources.forEach((source, i) => {
    const here = at.child('sources').index(i);
    const kinds = Object.values(source).filter(each => each !== undefined).length;
    if (kinds > 1)
      errors.push(forbidden(here, 'may not specify more than 1 volume type per source'));
    errors.push(...validateProjection(source, here));
    const items = [
      ...(source.secret?.items ?? []),
      ...(source.configMap?.items ?? []),
      ...(source.downwardAPI?.items ?? []),
    ];
    for (const { path: target } of items)
      take(target, source.secret?.name ?? source.configMap?.name ?? '');
  });
  return errors;
}

function validateProjection(
  { secret, configMap, downwardAPI, serviceAccountToken }: VolumeProjection,
  at: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const [name, source] of [
    ['secret', secret],
    ['configMap', configMap],
  ] as const) {
    if (source === undefined) continue;
    if (!source.name) errors.push(requiredField(at.child(name, 'name')));
    errors.push(...validateItems(source.items, at.child(name)));
  }
  if (downwardAPI !== undefined)
    errors.push(...validateDownward(downwardAPI.items, at.child('downwardAPI')));
  if (serviceAccountToken !== undefined) {
    const here = at.child('serviceAccountToken');
    const seconds = serviceAccountToken.expirationSeconds ?? 3600;
    if (seconds < 600)
      errors.push(
        invalid(
          here.child('expirationSeconds'),
          seconds,
          'may not specify a duration less than 10 minutes',
        ),
      );
    if (seconds > 2 ** 32)
      errors.push(
        invalid(
          here.child('expirationSeconds'),
          seconds,
          'may not specify a duration larger than 2^32 seconds',
        ),
      );
    if (!serviceAccountToken.path) errors.push(requiredField(here.child('path')));
    else errors.push(...validateLocalPath(serviceAccountToken.path, here.child('path')));
    errors.push(...validateUser(serviceAccountToken.user, here.child('user')));
  }
  return errors;
}
