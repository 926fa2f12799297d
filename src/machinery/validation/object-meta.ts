import { isDeepStrictEqual } from 'node:util';
import {
  forbidden,
  invalid,
  path,
  requiredField,
  tooLong,
  type FieldError,
  type FieldPath,
} from '../field-error.ts';
import type { ObjectMeta } from '../meta.ts';
import {
  dns1123Label,
  dns1123Subdomain,
  labelValue,
  pathSegmentName,
  qualifiedName,
} from './names.ts';

export type NameRule = 'dns-subdomain' | 'dns-label' | 'path-segment';

const nameRules: Record<NameRule, (name: string) => string[]> = {
  'dns-subdomain': dns1123Subdomain,
  'dns-label': dns1123Label,
  'path-segment': pathSegmentName,
};

const maxAnnotationBytes = 256 * 1024;

export interface MetaRules {
  readonly namespaced: boolean;
  readonly nameRule?: NameRule;
}

/** The rules of metadata that hold for every object. */
export function validateObjectMeta(
  meta: ObjectMeta,
  { namespaced, nameRule = 'dns-subdomain' }: MetaRules,
  at: FieldPath = path('metadata'),
): FieldError[] {
  const errors: FieldError[] = [];
  if (meta.generateName !== undefined && meta.generateName !== '') {
    // What follows the prefix is always good; a trailing dash or dot is thus allowed.
    const sample = `${meta.generateName.replace(/[-.]$/, '')}a`;
    errors.push(
      ...nameRules[nameRule](sample).map(text =>
        invalid(at.child('generateName'), meta.generateName, text),
      ),
    );
  }
  if (meta.name === undefined || meta.name === '') {
    errors.push(requiredField(at.child('name'), 'name or generateName is required'));
  } else {
    errors.push(
      ...nameRules[nameRule](meta.name).map(text => invalid(at.child('name'), meta.name, text)),
    );
  }
  const namespace = meta.namespace ?? '';
  if (namespaced) {
    if (namespace === '') errors.push(requiredField(at.child('namespace')));
    else
      errors.push(
        ...dns1123Label(namespace).map(text => invalid(at.child('namespace'), namespace, text)),
      );
  } else if (namespace !== '') {
    errors.push(forbidden(at.child('namespace'), 'not allowed on this type'));
  }
  errors.push(...validateLabels(meta.labels ?? {}, at.child('labels')));
  errors.push(...validateAnnotations(meta.annotations ?? {}, at.child('annotations')));
  (meta.finalizers ?? []).forEach((finalizer, i) => {
    errors.push(
      ...qualifiedName(finalizer).map(text =>
        invalid(at.child('finalizers').index(i), finalizer, text),
      ),
    );
  });
  errors.push(...validateOwners(meta, at.child('ownerReferences')));
  return errors;
}

export function validateLabels(labels: Record<string, string>, at: FieldPath): FieldError[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...qualifiedName(key).map(text => invalid(at, key, text)),
    ...labelValue(value).map(text => invalid(at, value, text)),
  ]);
}

function validateAnnotations(annotations: Record<string, string>, at: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations)) {
    errors.push(...qualifiedName(key.toLowerCase()).map(text => invalid(at, key, text)));
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (bytes > maxAnnotationBytes) errors.push(tooLong(at, maxAnnotationBytes));
  return errors;
}

function validateOwners(meta: ObjectMeta, at: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  let controllers = 0;
  (meta.ownerReferences ?? []).forEach((owner, i) => {
    const each = at.index(i);
    if (!owner.apiVersion)
      errors.push(invalid(each.child('apiVersion'), owner.apiVersion, 'version must not be empty'));
    if (!owner.kind) errors.push(invalid(each.child('kind'), owner.kind, 'kind must not be empty'));
    if (!owner.name) errors.push(invalid(each.child('name'), owner.name, 'name must not be empty'));
    if (!owner.uid) errors.push(invalid(each.child('uid'), owner.uid, 'uid must not be empty'));
    if (owner.controller === true) controllers += 1;
  });
  if (controllers > 1) {
    errors.push(
      invalid(at, meta.ownerReferences, 'Only one reference can have Controller set to true'),
    );
  }
  return errors;
}

/** What may not change in metadata. `next` has been filled from `old` by the server before. */
export function validateObjectMetaUpdate(
  next: ObjectMeta,
  old: ObjectMeta,
  at: FieldPath = path('metadata'),
): FieldError[] {
  const errors: FieldError[] = [];
  for (const name of [
    'name',
    'namespace',
    'uid',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
  ] as const) {
    if (!isDeepStrictEqual(next[name], old[name])) {
      errors.push(invalid(at.child(name), next[name], 'field is immutable'));
    }
  }
  if (old.deletionTimestamp !== undefined) {
    const added = (next.finalizers ?? []).filter(each => !(old.finalizers ?? []).includes(each));
    if (added.length > 0) {
      errors.push(
        forbidden(
          at.child('finalizers'),
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map(each => JSON.stringify(each)).join(', ')}}`,
        ),
      );
    }
  }
  return errors;
}
