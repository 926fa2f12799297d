import { forbidden, invalid, path, type FieldError } from '../../../../machinery/field-error.ts';
import { appArmorAnnotationPrefix } from './app-armor-annotations.ts';
import type { Pod } from './pod-schema.ts';

export const mirrorAnnotation = 'kubernetes.io/config.mirror';

const at = path('metadata.annotations');

/** Annotations that decide what a pod is: they stay as they were (ValidatePodSpecificAnnotationUpdates). */
export function validateAnnotationUpdate(next: Pod, old: Pod): FieldError[] {
  const before = new Map(Object.entries(old.metadata.annotations ?? {}));
  const after = new Map(Object.entries(next.metadata.annotations ?? {}));
  const changed = [...before].filter(([key, value]) => after.get(key) !== value);
  const added = [...after].filter(([key]) => !before.has(key));
  return [
    ...changed.flatMap(([key]) => refuse(key, 'may not remove or update')),
    ...added.flatMap(([key]) => refuse(key, 'may not add')),
  ];
}

function refuse(key: string, verb: string): FieldError[] {
  if (key.startsWith(appArmorAnnotationPrefix))
    return [forbidden(at.key(key), `${verb} AppArmor annotations`)];
  return key === mirrorAnnotation ? [forbidden(at.key(key), `${verb} mirror pod annotation`)] : [];
}

/** A mirror pod shows what runs on a node: it is never scheduled. */
export function validateMirrorAnnotation({ metadata, spec }: Pod): FieldError[] {
  const annotations = new Map(Object.entries(metadata.annotations ?? {}));
  const value = annotations.get(mirrorAnnotation);
  return value === undefined || spec?.nodeName
    ? []
    : [
        invalid(
          at.key(mirrorAnnotation),
          value,
          'must set spec.nodeName if mirror pod annotation is set',
        ),
      ];
}
