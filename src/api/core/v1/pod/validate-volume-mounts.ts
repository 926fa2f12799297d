import {
  forbidden,
  invalid,
  notFoundField,
  notSupported,
  requiredField,
  type FieldError,
  type FieldPath,
} from '../../../../machinery/field-error.ts';
import type { Container } from './container-schema.ts';
import { validateDescendingPath } from './validate-volume-files.ts';
import type { Volume, VolumeMount } from './volume-schema.ts';

export function validateVolumeMounts(
  container: Container,
  volumes: readonly Volume[],
  at: FieldPath,
): FieldError[] {
  const taken = new Set<string>();
  return (container.volumeMounts ?? []).flatMap((mount, i) => {
    const here = at.index(i);
    const errors: FieldError[] = [];
    if (!mount.name) errors.push(requiredField(here.child('name')));
    if (!volumes.some(volume => volume.name === mount.name)) {
      errors.push(notFoundField(here.child('name'), mount.name));
    }
    if (!mount.mountPath) errors.push(requiredField(here.child('mountPath')));
    if (taken.has(mount.mountPath)) {
      errors.push(invalid(here.child('mountPath'), mount.mountPath, 'must be unique'));
    }
    taken.add(mount.mountPath);
    if (mount.subPath && mount.subPathExpr) {
      errors.push(
        invalid(
          here.child('subPathExpr'),
          mount.subPathExpr,
          'subPathExpr and subPath are mutually exclusive',
        ),
      );
    }
    // Kubernetes names these four without the mount's number.
    for (const name of ['subPath', 'subPathExpr'] as const) {
      const value = mount[name];
      if (value) errors.push(...validateDescendingPath(value, at.child(name)));
    }
    return [
      ...errors,
      ...validatePropagation(mount, container, at.child('mountPropagation')),
      ...validateRecursiveReadOnly(mount, at.child('recursiveReadOnly')),
    ];
  });
}

const propagations = ['Bidirectional', 'HostToContainer', 'None'];

function validatePropagation(
  { mountPropagation }: VolumeMount,
  { securityContext }: Container,
  at: FieldPath,
): FieldError[] {
  if (mountPropagation === undefined) return [];
  if (!propagations.includes(mountPropagation)) {
    return [notSupported(at, mountPropagation, propagations)];
  }
  if (mountPropagation !== 'Bidirectional' || securityContext?.privileged === true) return [];
  const text = 'Bidirectional mount propagation is available only to privileged containers';
  return [forbidden(at, text)];
}

const recursiveReadOnlyModes = ['Disabled', 'Enabled', 'IfPossible'];

function validateRecursiveReadOnly(
  { recursiveReadOnly: mode, readOnly, mountPropagation = 'None' }: VolumeMount,
  at: FieldPath,
): FieldError[] {
  if (mode === undefined || mode === 'Disabled') return [];
  if (!recursiveReadOnlyModes.includes(mode))
    return [notSupported(at, mode, recursiveReadOnlyModes)];
  return [
    ...(readOnly === true ? [] : [forbidden(at, 'may only be specified when readOnly is true')]),
    ...(mountPropagation === 'None'
      ? []
      : [forbidden(at, 'may only be specified when mountPropagation is None or not specified')]),
  ];
}
