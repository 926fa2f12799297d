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
import type { KeyToPath } from '../references.ts';
import { validateDescendingPath } from './validate-mounts.ts';
import { validateFieldRef, validateResourceFieldRef } from './validate-field-refs.ts';
import type { DownwardFile, Volume, VolumeProjection, volumeSources } from './volume-schema.ts';

const modeText = 'must be a number between 0 and 0777 (octal), both inclusive';

export interface ValidatedVolumes {
  readonly errors: FieldError[];
  /** Those in which nothing is wrong: to a mount the others are not there. */
  readonly good: readonly Volume[];
}

export function validateVolumes(volumes: readonly Volume[], at: FieldPath): ValidatedVolumes {
  const errors: FieldError[] = [];
  const good = new Map<string, Volume>();
  volumes.forEach((volume, i) => {
    const here = at.index(i);
    const { name } = volume;
    const wrong = [
      ...validateSource(volume, here),
      ...(name
        ? dns1123Label(name).map(text => invalid(here.child('name'), name, text))
        : [requiredField(here.child('name'))]),
      ...(good.has(name) ? [duplicate(here.child('name'), name)] : []),
    ];
    errors.push(...wrong);
    if (wrong.length === 0) good.set(name, volume);
  });
  return { errors, good: [...good.values()] };
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

function validateSource(volume: Volume, at: FieldPath): FieldError[] {
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
      ...validateMode(secret.defaultMode, at.child('defaultMode')),
      ...validateItems(secret.items, at),
    ];
  }
  if (type === 'configMap' && configMap !== undefined) {
    return [
      ...(configMap.name ? [] : [requiredField(at.child('name'))]),
      ...validateMode(configMap.defaultMode, at.child('defaultMode')),
      ...validateItems(configMap.items, at),
    ];
  }
  if (type === 'downwardAPI' && downwardAPI !== undefined) {
    return [
      ...validateMode(downwardAPI.defaultMode, at.child('defaultMode')),
      ...validateDownward(downwardAPI.items, at),
    ];
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

const validateMode = (mode: number | undefined, at: FieldPath): FieldError[] =>
  mode !== undefined && (mode < 0 || mode > 0o777) ? [invalid(at, mode, modeText)] : [];

function validateItems(items: readonly KeyToPath[] = [], at: FieldPath): FieldError[] {
  return items.flatMap((item, i) => {
    const here = at.child('items').index(i);
    return [
      ...(item.key ? [] : [requiredField(here.child('key'))]),
      ...(item.path ? [] : [requiredField(here.child('path'))]),
      ...validateFilePath(item.path, here.child('path')),
      ...validateMode(item.mode, here.child('mode')),
    ];
  });
}

/** One that the atomic writer's own names cannot meet either. */
const validateFilePath = (target: string | undefined = '', at: FieldPath): FieldError[] => [
  ...validateDescendingPath(target, at),
  ...(target.startsWith('..') && !target.startsWith('../')
    ? [invalid(at, target, "must not start with '..'")]
    : []),
];

const offeredFields = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];

/** The files' fields are told without their number, as Kubernetes does. */
function validateDownward(items: readonly DownwardFile[] = [], at: FieldPath): FieldError[] {
  return items.flatMap(({ path, fieldRef, resourceFieldRef, mode }) => [
    ...(path ? [] : [requiredField(at.child('path'))]),
    ...validateFilePath(path, at.child('path')),
    ...(fieldRef === undefined
      ? []
      : validateFieldRef(fieldRef, offeredFields, at.child('fieldRef'))),
    ...(fieldRef !== undefined && resourceFieldRef !== undefined
      ? [
          invalid(
            at,
            'resource',
            'fieldRef and resourceFieldRef can not be specified simultaneously',
          ),
        ]
      : []),
    ...(fieldRef === undefined && resourceFieldRef !== undefined
      ? validateResourceFieldRef(resourceFieldRef, true, at.child('resourceFieldRef'))
      : []),
    ...(fieldRef === undefined && resourceFieldRef === undefined
      ? [requiredField(at, 'one of fieldRef and resourceFieldRef is required')]
      : []),
    ...validateMode(mode, at.child('mode')),
  ]);
}

function validateProjected(
  { sources = [], defaultMode }: NonNullable<Volume['projected']>,
  at: FieldPath,
): FieldError[] {
  const taken = new Set<string>();
  /** Paths that are written out may not meet; those of whole objects are not known yet. */
  const take = (paths: readonly (string | undefined)[], shown?: string): FieldError[] =>
    paths.flatMap((path = '') => {
      const meets = path !== '' && taken.has(path);
      taken.add(path);
      return meets ? [invalid(at, shown ?? path, 'conflicting duplicate paths')] : [];
    });
  const pathsOf = (items: readonly { path?: string }[] = []) => items.map(({ path }) => path);
  return [
    ...validateMode(defaultMode, at.child('defaultMode')),
    ...sources.flatMap((source, i) => {
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
  const { expirationSeconds: seconds = 3600, path } = token;
  const duration = (words: string): FieldError[] => [
    invalid(at.child('expirationSeconds'), seconds, `may not specify a duration ${words}`),
  ];
  return [
    ...(seconds < 600 ? duration('less than 10 minutes') : []),
    ...(seconds > 2 ** 32 ? duration('larger than 2^32 seconds') : []),
    ...(path
      ? validateFilePath(path, volume.child('path'))
      : [requiredField(volume.child('path'))]),
  ];
}
