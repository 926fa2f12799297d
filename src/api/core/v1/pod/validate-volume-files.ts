import {
  invalid,
  requiredField,
  validateEach,
  type FieldError,
  type FieldPath,
} from '../../../../machinery/field-error.ts';
import type { KeyToPath } from '../references.ts';
import { validateFieldRef, validateResourceFieldRef } from './validate-field-refs.ts';
import type { DownwardFile } from './volume-schema.ts';

const modeText = 'must be a number between 0 and 0777 (octal), both inclusive';
const userText = 'must be between 0 and 2147483647, inclusive';

/** What a volume says of all its files. */
export const validateDefaults = (
  {
    defaultMode,
    defaultUser,
  }: { defaultMode?: number | undefined; defaultUser?: number | undefined },
  at: FieldPath,
): FieldError[] => [
  ...validateMode(defaultMode, at.child('defaultMode')),
  ...validateUser(defaultUser, at.child('defaultUser')),
];

const validateMode = (mode: number | undefined, at: FieldPath): FieldError[] =>
  mode !== undefined && (mode < 0 || mode > 0o777) ? [invalid(at, mode, modeText)] : [];

export const validateUser = (user: number | undefined, at: FieldPath): FieldError[] =>
  user !== undefined && (user < 0 || user > 2 ** 31 - 1) ? [invalid(at, user, userText)] : [];

export function validateItems(items: readonly KeyToPath[] = [], at: FieldPath): FieldError[] {
  const list = at.child('items');
  return validateEach(items, (item, i) => {
    const here = list.index(i);
    return [
      ...(item.key ? [] : [requiredField(here.child('key'))]),
      ...validateFilePath(item.path, here.child('path')),
      ...validateMode(item.mode, here.child('mode')),
      ...validateUser(item.user, here.child('user')),
    ];
  });
}

const offeredFields = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];

/** The files' fields are told without their number, as Kubernetes does. */
export function validateDownward(items: readonly DownwardFile[] = [], at: FieldPath): FieldError[] {
  return validateEach(items, ({ path, fieldRef, resourceFieldRef, mode, user }) => [
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
    ...validateUser(user, at.child('user')),
  ]);
}

const validateFilePath = (path: string | undefined, at: FieldPath): FieldError[] =>
  path ? validateLocalPath(path, at) : [requiredField(at)];

/** A path that stays below where it starts, and that the atomic writer's own names cannot meet. */
export function validateLocalPath(target: string, at: FieldPath): FieldError[] {
  const errors = validateDescendingPath(target, at);
  if (target.startsWith('..') && !target.startsWith('../')) {
    errors.push(invalid(at, target, "must not start with '..'"));
  }
  return errors;
}

const parentFolder = /(?:^|\/)\.\.(?:\/|$)/;

export function validateDescendingPath(target: string, at: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (target.startsWith('/')) errors.push(invalid(at, target, 'must be a relative path'));
  if (parentFolder.test(target)) errors.push(invalid(at, target, "must not contain '..'"));
  return errors;
}
