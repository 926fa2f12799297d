import type { KubeObject } from '../../machinery/meta.ts';
import { apiVersionOf } from '../../machinery/resource.ts';
import { alreadyExists, isStatusError } from '../../machinery/status.ts';
import { readBody, type RequestContext } from '../http/context.ts';
import { decodeBody } from '../negotiation/decode-body.ts';
import { respondObject } from '../negotiation/encode.ts';
import type { StoredObject } from '../registry/object-store.ts';
import { unkept } from '../registry/unkept.ts';
import type { VerbServices } from '../resource-entry.ts';
import { fieldValidationOf, isDryRun } from './query-options.ts';
import { fillNewObject, mustBeValid, placeObject, strategyContext } from './write-rules.ts';

export async function create(context: RequestContext, services: VerbServices): Promise<void> {
  const { descriptor } = services.entry;
  const dryRun = isDryRun(context.query);
  const fieldValidation = fieldValidationOf(context.query);
  const object = decodeBody(
    await readBody(context.request),
    { apiVersion: apiVersionOf(descriptor), kind: descriptor.kind, schema: descriptor.schema },
    { contentType: context.headers['content-type'], fieldValidation, warnings: context.warnings },
  ) as unknown as KubeObject;
  await respondObject(
    context,
    descriptor,
    201,
    await createObject(object, context, services, dryRun),
  );
}

/** A decoded body's way into the store. @throws StatusError */
export async function createObject(
  object: KubeObject,
  context: RequestContext,
  { entry, admission }: VerbServices,
  dryRun: boolean,
): Promise<StoredObject> {
  const { descriptor, objects } = entry;
  placeObject(object, descriptor, context);
  const strategy = strategyContext();
  fillNewObject(object, descriptor, strategy);
  descriptor.applyDefaults?.(object);
  descriptor.prepareForCreate?.(object, strategy);
  const { name = '', namespace = '' } = object.metadata;
  // Admission reads what structure alone does not promise: an object without a spec is refused first.
  if (!('spec' in object) && descriptor.plural === 'pods') mustBeValid(object, descriptor);
  await admission({
    operation: 'create',
    descriptor,
    subresource: '',
    namespace,
    name,
    object,
    old: undefined,
    user: context.user,
  });
  mustBeValid(object, descriptor);
  context.warnings.push(...(descriptor.warnings?.(object) ?? []));
  if (dryRun) {
    if (await exists(objects.get(namespace, name))) throw alreadyExists(descriptor, name);
    return unkept(object);
  }
  return objects.create(object);
}

async function exists(found: Promise<StoredObject>): Promise<boolean> {
  try {
    await found;
    return true;
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return false;
    throw error;
  }
}
