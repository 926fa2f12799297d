import { isDeepStrictEqual } from 'node:util';
import {
  forbidden,
  invalid,
  path,
  requiredField,
  tooLong,
  validateEach,
  type FieldError,
  type FieldPath,
} from '../field-error.ts';
import { goQuote } from '../go-quote.ts';
import type { ObjectMeta, OwnerReference } from '../meta.ts';
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
  if (meta.generateName) {
    errors.push(
      ...nameRules[nameRule](maskTrailingDash(meta.generateName, nameRule)).map(text =>
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
  errors.push(...validateOwners(meta.ownerReferences ?? [], at.child('ownerReferences')));
  errors.push(...validateFinalizers(meta.finalizers ?? [], at.child('finalizers')));
  return errors;
}

/** A name to come, or a prefix of one, may end in a dash: what follows it is good. */
export const maskTrailingDash = (name: string, rule: NameRule = 'dns-subdomain'): string =>
  rule !== 'path-segment' && name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name;

const standardFinalizers = ['kubernetes', 'orphan', 'foregroundDeletion'];

export function validateFinalizers(finalizers: readonly string[], at: FieldPath): FieldError[] {
  const errors = validateEach(finalizers, each =>
    qualifiedName(each).map(text => invalid(at, each, text)),
  );
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(
      invalid(at, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'),
    );
  }
  return [
    ...errors,
    ...validateEach(finalizers, (each, i) =>
      each.includes('/') || standardFinalizers.includes(each)
        ? []
        : [
            invalid(
              at.index(i),
              each,
              'name is neither a standard finalizer name nor is it fully qualified',
            ),
          ],
    ),
  ];
}

export function validateLabels(labels: Record<string, string>, at: FieldPath): FieldError[] {
  return validateEach(Object.entries(labels), ([key, value]) => [
    ...qualifiedName(key).map(text => invalid(at, key, text)),
    ...labelValue(value).map(text => invalid(at, value, text)),
  ]);
}

function validateAnnotations(annotations: Record<string, string>, at: FieldPath): FieldError[] {
  const entries = Object.entries(annotations);
  const errors = validateEach(entries, ([key]) =>
    qualifiedName(key.toLowerCase()).map(text => invalid(at, key, text)),
  );
  let bytes = 0;
  for (const [key, value] of entries) bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  if (bytes > maxAnnotationBytes) errors.push(tooLong(at, maxAnnotationBytes));
  return errors;
}

function validateOwners(owners: readonly OwnerReference[], at: FieldPath): FieldError[] {
  let controller = '';
  return validateEach(owners, owner => {
    const errors: FieldError[] = [];
    const { apiVersion = '', kind = '', name = '', uid = '' } = owner as Partial<OwnerReference>;
    const version = apiVersion.split('/').at(-1) ?? '';
    if (version === '')
      errors.push(invalid(at.child('apiVersion'), apiVersion, 'version must not be empty'));
    if (kind === '') errors.push(invalid(at.child('kind'), kind, 'kind must not be empty'));
    if (name === '') errors.push(invalid(at.child('name'), name, 'name must not be empty'));
    if (uid === '') errors.push(invalid(at.child('uid'), uid, 'uid must not be empty'));
    if (apiVersion === 'v1' && kind === 'Event') {
      errors.push(invalid(at, owner, '/v1, Kind=Event is disallowed from being an owner'));
    }
    if (owner.controller !== true) return errors;
    if (controller !== '') {
      errors.push(
        invalid(
          at,
          owners,
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${kind}/${name}`,
        ),
      );
    } else controller = `${kind}/${name}`;
    return errors;
  });
}

/** What may not change in metadata. `next` has been filled from `old` by the server before. */
export function validateObjectMetaUpdate(
  next: ObjectMeta,
  old: ObjectMeta,
  at: FieldPath = path('metadata'),
): FieldError[] {
  const errors: FieldError[] = [];
  if (old.deletionTimestamp !== undefined) {
    const known = new Set(old.finalizers);
    const added = (next.finalizers ?? []).filter(each => !known.has(each)).toSorted();
    if (added.length > 0) {
      errors.push(
        forbidden(
          at.child('finalizers'),
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map(goQuote).join(', ')}}`,
        ),
      );
    }
  }
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
  return errors;
}
