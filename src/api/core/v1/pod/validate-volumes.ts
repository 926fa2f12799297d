import {
  duplicate,
  forbidden,
  invalid,
  notSupported,
  requiredField,
  validateEach,
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
import { unsupportedVolumeSources } from './unsupported-volume-sources.ts';
import type { Volume, VolumeProjection, volumeSources } from './volume-schema.ts';

export interface ValidatedVolumes {
  readonly errors: FieldError[];
  /** Names of those in which nothing is wrong: a mount does not find the others. */
  readonly good: ReadonlySet<string>;
}

export function validateVolumes(volumes: readonly Volume[], at: FieldPath): ValidatedVolumes {
  const good = new Set<string>();
  const errors = validateEach(volumes, (volume, i) => {
    const here = at.index(i);
    const { name } = volume;
    const wrong = [
      ...validateSource(volume, here),
      ...(name
        ? dns1123Label(name).map(text => invalid(here.child('name'), name, text))
        : [requiredField(here.child('name'))]),
      ...(good.has(name) ? [duplicate(here.child('name'), name)] : []),
    ];
    if (wrong.length === 0) good.add(name);
    return wrong;
  });
  return { errors, good };
}

/** In the order in which Kubernetes looks for them: the first is the volume's, the others are too many. */
const sourceOrder = [
  'emptyDir',
  'hostPath',
  'secret',
  'nfs',
  'persistentVolumeClaim',
  'downwardAPI',
  'configMap',
  'projected',
  'csi',
] as const satisfies (keyof typeof volumeSources)[];

const unsupportedTypes = Object.keys(
  unsupportedVolumeSources,
) as (keyof typeof unsupportedVolumeSources)[];

function validateSource(volume: Volume, at: FieldPath): FieldError[] {
  const unsupported = unsupportedTypes.filter(name => volume[name] !== undefined);
  if (unsupported.length > 0) {
    return unsupported.map(name =>
      forbidden(at.child(name), 'Keylet does not support this volume type'),
    );
  }
  const [type, ...more] = sourceOrder.filter(name => volume[name] !== undefined);
  if (type === undefined) return [requiredField(at, 'must specify a volume type')];
  return [
    ...validateType(volume, type, at.child(type)),
    ...more.map(name => forbidden(at.child(name), 'may not specify more than 1 volume type')),
  ];
}

function validateType(
  { secret, configMap, projected, downwardAPI, hostPath }: Volume,
  type: (typeof sourceOrder)[number],
  at: FieldPath,
): FieldError[] {
  if (type === 'secret' && secret !== undefined) {
    return [
      ...(secret.secretName ? [] : [requiredField(at.child('secretName'))]),
      ...validateDefaults(secret, at),
      ...validateItems(secret.items, at),
    ];
  }
  if (type === 'configMap' && configMap !== undefined) {
    return [
      ...(configMap.name ? [] : [requiredField(at.child('name'))]),
      ...validateDefaults(configMap, at),
      ...validateItems(configMap.items, at),
    ];
  }
  if (type === 'downwardAPI' && downwardAPI !== undefined) {
    return [...validateDefaults(downwardAPI, at), ...validateDownward(downwardAPI.items, at)];
  }
  if (type === 'projected' && projected !== undefined) return validateProjected(projected, at);
  return type === 'hostPath' && hostPath !== undefined ? validateHostPath(hostPath, at) : [];
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
  /** Paths that are written out may not meet; those of whole objects are not known yet. */
  const take = (paths: readonly (string | undefined)[], shown?: string): FieldError[] =>
    validateEach(paths, (path = '') => {
      const meets = path !== '' && taken.has(path);
      taken.add(path);
      return meets ? [invalid(at, shown ?? path, 'conflicting duplicate paths')] : [];
    });
  const pathsOf = (items: readonly { path?: string }[] = []) => items.map(({ path }) => path);
  return [
    ...validateDefaults(defaults, at),
    ...validateEach(sources, (source, i) => {
      const here = at.child('sources').index(i);
      const { secret, configMap, downwardAPI, serviceAccountToken } = source;
      return [
        ...validateProjectedObject(secret, here.child('secret')),
        ...take(pathsOf(secret?.items), secret?.name ?? ''),
        ...validateProjectedObject(configMap, here.child('configMap')),
        ...take(pathsOf(configMap?.items), configMap?.name ?? ''),
        ...validateDownward(downwardAPI?.items, here.child('downwardAPI')),
        ...take(pathsOf(downwardAPI?.items)),
        ...validateToken(serviceAccountToken, at, here.child('serviceAccountToken')),
        ...(Object.values(source).filter(each => each !== undefined).length > 1
          ? [forbidden(here, 'may not specify more than 1 volume type per source')]
          : []),
      ];
    }),
  ];
}

const validateProjectedObject = (
  source: VolumeProjection['secret'],
  at: FieldPath,
): FieldError[] =>
  source === undefined
    ? []
    : [
        ...(source.name ? [] : [requiredField(at.child('name'))]),
        ...validateItems(source.items, at),
      ];

/** @param volume where Kubernetes tells of the path */
function validateToken(
  token: VolumeProjection['serviceAccountToken'],
  volume: FieldPath,
  at: FieldPath,
): FieldError[] {
  if (token === undefined) return [];
  const { expirationSeconds: seconds = 3600, path, user } = token;
  const duration = (words: string): FieldError[] => [
    invalid(at.child('expirationSeconds'), seconds, `may not specify a duration ${words}`),
  ];
  return [
    ...(seconds < 600 ? duration('less than 10 minutes') : []),
    ...(seconds > 2 ** 32 ? duration('larger than 2^32 seconds') : []),
    ...(path
      ? validateLocalPath(path, volume.child('path'))
      : [requiredField(volume.child('path'))]),
    ...validateUser(user, at.child('user')),
  ];
}
