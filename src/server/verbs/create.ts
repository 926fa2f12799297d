import type { KubeObject } from '../../machinery/meta.ts';
import { apiVersionOf, type StrategyContext } from '../../machinery/resource.ts';
import { alreadyExists, generateNameConflict, isStatusError } from '../../machinery/status.ts';
import type { RequestContext, VerbServices } from '../operation/operation.ts';
import { decodeBody } from '../negotiation/decode-body.ts';
import { isLargeBody, turnOf } from '../negotiation/large-work.ts';
import { respondObject } from '../negotiation/encode.ts';
import type { Turn } from '../turns.ts';
import type { StoredObject } from '../registry/object-store.ts';
import { unkept } from '../registry/unkept.ts';
import { admissionRequest } from './admission-request.ts';
import { dedupOwners } from './dedup-owners.ts';
import {
  addWarnings,
  fillNewObject,
  mustBeValid,
  placeObject,
  strategyContext,
} from './write-rules.ts';
import { writeOptionsOf } from './write-options.ts';

export async function create(context: RequestContext, services: VerbServices): Promise<void> {
  const { descriptor } = services.entry;
  const { dryRun, fieldValidation } = writeOptionsOf(context.query, 'CreateOptions');
  const { body } = context;
  const object = (await decodeBody(
    body,
    { apiVersion: apiVersionOf(descriptor), kind: descriptor.kind, schema: descriptor.schema },
    {
      client: context.client,
      contentType: context.headers['content-type'],
      fieldValidation,
      warnings: context.warnings,
    },
  )) as unknown as KubeObject;
  const turn = turnOf(context.client, isLargeBody(body, context.headers['content-type']));
  const stored = await createObject(object, { context, services, dryRun, turn });
  await respondObject(context, descriptor, 201, stored);
}

export interface CreateRequest {
  readonly context: RequestContext;
  readonly services: VerbServices;
  readonly dryRun: boolean;
  /** Between the steps of a large object's way. */
  readonly turn?: Turn;
  /** @default strategyContext */
  readonly strategy?: () => StrategyContext;
}

const maxGeneratedNames = 8;

/** A decoded body's way into the store. A generated name that is taken is made anew. @throws StatusError */
export async function createObject(
  object: KubeObject,
  request: CreateRequest,
): Promise<StoredObject> {
  const { descriptor } = request.services.entry;
  const { name, generateName } = object.metadata ?? {};
  if (name || !generateName) return createOnce(object, request);
  for (let attempt = 1; ; attempt += 1) {
    const named = structuredClone(object);
    try {
      return await createOnce(named, request);
    } catch (error) {
      if (!isStatusError(error, 'AlreadyExists')) throw error;
      if (attempt === maxGeneratedNames) {
        throw generateNameConflict(descriptor, named.metadata.name ?? '');
      }
    }
  }
}

async function createOnce(
  object: KubeObject,
  { context, services: { entry, admission }, dryRun, turn, strategy: make }: CreateRequest,
): Promise<StoredObject> {
  const { descriptor, objects } = entry;
  await turn?.();
  placeObject(object, descriptor, context);
  const repeatedOwners = dedupOwners(object.metadata);
  const strategy = (make ?? strategyContext)();
  fillNewObject(object, descriptor, strategy);
  descriptor.applyDefaults?.(object);
  const { name = '', namespace = '' } = object.metadata;
  const request = admissionRequest(context, {
    operation: 'create',
    namespace,
    name,
    object,
    old: undefined,
    dryRun,
  });
  await admission.mutate(request);
  descriptor.prepareForCreate?.(object, strategy);
  await turn?.();
  mustBeValid(object, descriptor, descriptor.validateCreate?.(object));
  await turn?.();
  await admission.validate(request);
  addWarnings(context, [...repeatedOwners, ...(descriptor.warnings?.(object) ?? [])]);
  await turn?.();
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
