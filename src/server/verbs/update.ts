import type { KubeObject } from '../../machinery/meta.ts';
import {
  apiVersionOf,
  type ResourceDescriptor,
  type UpdateStrategy,
} from '../../machinery/resource.ts';
import { isStatusError } from '../../machinery/status.ts';
import { mustAllow } from '../authz/authorizer.ts';
import type { RequestContext } from '../http/context.ts';
import { decodeBody } from '../negotiation/decode-body.ts';
import { respondObject } from '../negotiation/encode.ts';
import type { VerbServices } from '../resource-entry.ts';
import { attributesOf } from '../operation/operation.ts';
import { createObject } from './create.ts';
import { replaceObject } from './replace-object.ts';
import { writeOptionsOf } from './write-options.ts';
import { checkName, placeObject } from './write-rules.ts';

/** PUT of an object or of one of its parts. */
export async function update(context: RequestContext, services: VerbServices): Promise<void> {
  const { descriptor } = services.entry;
  const { operation, query } = context;
  const { dryRun, fieldValidation } = writeOptionsOf(query, 'UpdateOptions');
  const object = (await decodeBody(
    context.body,
    { apiVersion: apiVersionOf(descriptor), kind: descriptor.kind, schema: descriptor.schema },
    {
      contentType: context.headers['content-type'],
      fieldValidation,
      warnings: context.warnings,
    },
  )) as unknown as KubeObject;
  placeObject(object, descriptor, context);
  checkName(object, operation.name);
  try {
    const stored = await replaceObject(context, services, {
      strategy: strategyOf(descriptor, operation.subresource),
      dryRun,
      next: () => structuredClone(object),
    });
    await respondObject(context, descriptor, 200, stored);
  } catch (error) {
    if (
      !isStatusError(error, 'NotFound') ||
      descriptor.allowCreateOnUpdate !== true ||
      operation.subresource !== ''
    )
      throw error;
    // Who may change what is there may not thereby make what is not.
    mustAllow(services.authorize, attributesOf(operation, context.user, 'create'));
    delete object.metadata.resourceVersion;
    const stored = await createObject(object, { context, services, dryRun });
    await respondObject(context, descriptor, 201, stored);
  }
}

export const strategyOf = (
  descriptor: ResourceDescriptor,
  subresource: string,
): UpdateStrategy<KubeObject> | undefined =>
  subresource === 'status' ? descriptor.status : descriptor.update;
