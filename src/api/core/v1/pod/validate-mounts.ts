import {
  forbidden,
  invalid,
  notFoundField,
  notSupported,
  requiredField,
  validateEach,
  type FieldError,
  type FieldPath,
} from '../../../../machinery/field-error.ts';
import type { Container } from './container-schema.ts';
import { validateDescendingPath } from './validate-volume-files.ts';
import type { VolumeMount } from './volume-schema.ts';

const propagations = ['Bidirectional', 'HostToContainer', 'None'];
const recursions = ['Disabled', 'Enabled', 'IfPossible'];

export function validateMounts(
  container: Container,
  volumes: ReadonlySet<string>,
  at: FieldPath,
): FieldError[] {
  const taken = new Set<string>();
  return validateEach(container.volumeMounts ?? [], (mount, i) => {
    const here = at.index(i);
    const { name, mountPath, subPath = '', subPathExpr = '' } = mount;
    const errors = [
      ...(name ? [] : [requiredField(here.child('name'))]),
      ...(volumes.has(name) ? [] : [notFoundField(here.child('name'), name)]),
      ...(mountPath ? [] : [requiredField(here.child('mountPath'))]),
      ...(taken.has(mountPath)
        ? [invalid(here.child('mountPath'), mountPath, 'must be unique')]
        : []),
      // What follows is told of the list, without the mount's number, as Kubernetes does.
      ...validateDescendingPath(subPath, at.child('subPath')),
      ...(subPath && subPathExpr
        ? [
            invalid(
              here.child('subPathExpr'),
              subPathExpr,
              'subPathExpr and subPath are mutually exclusive',
            ),
          ]
        : []),
      ...validateDescendingPath(subPathExpr, at.child('subPathExpr')),
      ...validatePropagation(mount, container, at.child('mountPropagation')),
      ...validateRecursion(mount, at.child('recursiveReadOnly')),
    ];
    taken.add(mountPath);
    return errors;
  });
}

function validatePropagation(
  { mountPropagation: value }: VolumeMount,
  { securityContext }: Container,
  at: FieldPath,
): FieldError[] {
  if (value === undefined) return [];
  return [
    ...(propagations.includes(value) ? [] : [notSupported(at, value, propagations)]),
    ...(value === 'Bidirectional' && securityContext?.privileged !== true
      ? [
          forbidden(
            at,
            'Bidirectional mount propagation is available only to privileged containers',
          ),
        ]
      : []),
  ];
}

function validateRecursion(
  { recursiveReadOnly: value, readOnly, mountPropagation }: VolumeMount,
  at: FieldPath,
): FieldError[] {
  if (value === undefined || value === 'Disabled') return [];
  if (!recursions.includes(value)) return [notSupported(at, value, recursions)];
  return [
    ...(readOnly === true ? [] : [forbidden(at, 'may only be specified when readOnly is true')]),
    ...(mountPropagation === undefined || mountPropagation === 'None'
      ? []
      : [forbidden(at, 'may only be specified when mountPropagation is None or not specified')]),
  ];
}
