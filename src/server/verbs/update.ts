import type { KubeObject } from '../../machinery/meta.ts';
import {
  apiVersionOf,
  type ResourceDescriptor,
  type UpdateStrategy,
} from '../../machinery/resource.ts';
import { badRequest, isStatusError } from '../../machinery/status.ts';
import { mustAllow } from '../authz/authorizer.ts';
import { readBody, type RequestContext } from '../http/context.ts';
import { decodeBody } from '../negotiation/decode-body.ts';
import { respondObject } from '../negotiation/encode.ts';
import type { VerbServices } from '../resource-entry.ts';
import { createObject } from './create.ts';
import { fieldValidationOf, isDryRun } from './query-options.ts';
import { replaceObject } from './replace-object.ts';
import { placeObject } from './write-rules.ts';

/** PUT of an object or of one of its parts. */
export async function update(context: RequestContext, services: VerbServices): Promise<void> {
  const { descriptor } = services.entry;
  const { info, query } = context;
  const dryRun = isDryRun(query);
  const object = decodeBody(
    await readBody(context.request),
    { apiVersion: apiVersionOf(descriptor), kind: descriptor.kind, schema: descriptor.schema },
    {
      contentType: context.headers['content-type'],
      fieldValidation: fieldValidationOf(query),
      warnings: context.warnings,
    },
  ) as unknown as KubeObject;
  placeObject(object, descriptor, context);
  object.metadata.name ||= info.name;
  if (object.metadata.name !== info.name) {
    throw badRequest(
      `the name of the object (${object.metadata.name}) does not match the name on the URL (${info.name})`,
    );
  }
  try {
    const stored = await replaceObject(context, services, {
      strategy: strategyOf(descriptor, info.subresource),
      dryRun,
      next: () => structuredClone(object),
    });
    await respondObject(context, descriptor, 200, stored);
  } catch (error) {
    if (
      !isStatusError(error, 'NotFound') ||
      descriptor.allowCreateOnUpdate !== true ||
      info.subresource !== ''
    )
      throw error;
    // Who may change what is there may not thereby make what is not.
    mustAllow(services.authorize, { ...info, verb: 'create', user: context.user });
    delete object.metadata.resourceVersion;
    await respondObject(
      context,
      descriptor,
      201,
      await createObject(object, context, services, dryRun),
    );
  }
}

export const strategyOf = (
  descriptor: ResourceDescriptor,
  subresource: string,
): UpdateStrategy<KubeObject> | undefined =>
  subresource === 'status' ? descriptor.status : descriptor.update;
