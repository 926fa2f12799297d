import { randomUUID } from 'node:crypto';
import { sameJson } from '../../machinery/same-json.ts';
import { timestamp } from '../../machinery/timestamp.ts';
import type { KubeObject, ObjectMeta } from '../../machinery/meta.ts';
import { generateName, randomSuffix } from '../../machinery/names.ts';
import { invalid, path, type FieldError } from '../../machinery/field-error.ts';
import type {
  ResourceDescriptor,
  StrategyContext,
  UpdateStrategy,
} from '../../machinery/resource.ts';
import { badRequest, conflict, invalidObject, modified } from '../../machinery/status.ts';
import {
  validateObjectMeta,
  validateObjectMetaUpdate,
} from '../../machinery/validation/object-meta.ts';
import type { RequestContext } from '../operation/operation.ts';

export const strategyContext = (): StrategyContext => ({
  now: timestamp(),
  randomSuffix,
});

/** The namespace of the URL is the object's; one in the body has to agree. @throws StatusError */
export function placeObject(
  object: KubeObject,
  descriptor: ResourceDescriptor,
  { operation }: RequestContext,
): void {
  object.metadata ??= {};
  if (!descriptor.namespaced) return;
  const { metadata } = object;
  if (metadata.namespace && metadata.namespace !== operation.namespace) {
    throw badRequest(
      'the namespace of the provided object does not match the namespace sent on the request',
    );
  }
  metadata.namespace = operation.namespace;
}

/** What is written must bear the name of the URL. @throws StatusError */
export function checkName({ metadata }: KubeObject, nameOfUrl: string): void {
  if (!metadata.name) {
    throw badRequest(
      `the name of the object (${nameOfUrl} based on URL) was undeterminable: name must be provided`,
    );
  }
  if (metadata.name !== nameOfUrl) {
    throw badRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${nameOfUrl})`,
    );
  }
}

/** Fills what the server owns of a new object. @throws StatusError */
export function fillNewObject(
  object: KubeObject,
  descriptor: ResourceDescriptor,
  context: StrategyContext,
): void {
  const { metadata } = object;
  if (hasVersion(metadata))
    throw badRequest('resourceVersion should not be set on objects to be created');
  delete metadata.resourceVersion;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.selfLink;
  if (!metadata.name && metadata.generateName) {
    metadata.name = generateName(metadata.generateName, context.randomSuffix());
  }
  metadata.uid = randomUUID();
  metadata.creationTimestamp = context.now;
  delete metadata.generation;
  if (descriptor.tracksGeneration === true) metadata.generation = 1;
}

/** `0` means any version, as none does. */
const hasVersion = ({ resourceVersion = '' }: ObjectMeta): boolean =>
  resourceVersion !== '' && resourceVersion !== '0';

/** @throws StatusError Invalid with all that is wrong */
export function mustBeValid(
  object: KubeObject,
  descriptor: ResourceDescriptor,
  more: readonly FieldError[] = [],
): void {
  const errors = [
    ...validateObjectMeta(object.metadata, {
      namespaced: descriptor.namespaced,
      ...(descriptor.nameRule === undefined ? {} : { nameRule: descriptor.nameRule }),
    }),
    ...more,
    ...(descriptor.validate?.(object) ?? []),
  ];
  if (errors.length > 0) throw invalidObject(descriptor, object.metadata.name ?? '', errors);
}

export interface UpdateRules {
  readonly descriptor: ResourceDescriptor;
  readonly strategy: UpdateStrategy<KubeObject> | undefined;
  readonly context: StrategyContext;
}

/** Makes `next` a lawful successor of `current`, in place. @throws StatusError */
export function checkUpdate(
  next: KubeObject,
  current: KubeObject,
  { descriptor, strategy, context }: UpdateRules,
): void {
  const { metadata } = next;
  const old = current.metadata;
  if (hasVersion(metadata)) {
    if (metadata.resourceVersion !== old.resourceVersion)
      throw conflict(descriptor, old.name ?? '', modified);
  } else if (descriptor.allowUnconditionalUpdate === false) {
    throw invalidObject(descriptor, old.name ?? '', [
      invalid(path('metadata.resourceVersion'), 0, 'must be specified for an update'),
    ]);
  }
  if (metadata.uid && metadata.uid !== old.uid) {
    throw conflict(
      descriptor,
      old.name ?? '',
      `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${old.uid ?? ''}`,
    );
  }
  // A client need not send back what only the server sets.
  for (const field of ['uid', 'creationTimestamp', 'generation', 'resourceVersion'] as const) {
    if (old[field] === undefined) delete metadata[field];
    else Object.assign(metadata, { [field]: old[field] });
  }
  // Nor can it end an object by writing: these are refused below where they are new.
  metadata.deletionTimestamp = old.deletionTimestamp ?? metadata.deletionTimestamp;
  metadata.deletionGracePeriodSeconds ??= old.deletionGracePeriodSeconds;
  delete metadata.selfLink;
  strategy?.prepareForUpdate(next, current, context);
  const specOf = (object: KubeObject): unknown => (object as { spec?: unknown }).spec;
  if (old.generation !== undefined && !sameJson(specOf(next), specOf(current))) {
    metadata.generation = old.generation + 1;
  }
  mustBeValid(next, descriptor, [
    ...validateObjectMetaUpdate(metadata, old),
    ...(strategy?.validateUpdate(next, current) ?? []),
  ]);
}

/** Each once, however often the write is tried. */
export function addWarnings({ warnings }: RequestContext, more: readonly string[]): void {
  const known = new Set(warnings);
  warnings.push(...[...new Set(more)].filter(each => !known.has(each)));
}
