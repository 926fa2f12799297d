import { memberOf } from '../../machinery/member.ts';
import type { KubeObject } from '../../machinery/meta.ts';
import {
  apiVersionOf,
  type ResourceDescriptor,
  type UpdateStrategy,
} from '../../machinery/resource.ts';
import { isStatusError } from '../../machinery/status.ts';
import { mustAllow } from '../authz/authorizer.ts';
import type { RequestContext, VerbServices } from '../operation/operation.ts';
import { decodeBody } from '../negotiation/decode-body.ts';
import { isLargeBody } from '../negotiation/large-work.ts';
import { respondObject } from '../negotiation/encode.ts';
import { attributesOf } from '../operation/operation.ts';
import { createObject } from './create.ts';
import { replaceObject } from './replace-object.ts';
import { writeOptionsOf } from './write-options.ts';
import { checkName, placeObject } from './write-rules.ts';

/** PUT of an object or of one of its parts. */
export async function update(context: RequestContext, services: VerbServices): Promise<void> {
  const { descriptor } = services.entry;
  const { operation, query, body } = context;
  const { dryRun, fieldValidation } = writeOptionsOf(query, 'UpdateOptions');
  const decoded = async (warnings: string[]): Promise<KubeObject> => {
    const object = (await decodeBody(
      body,
      { apiVersion: apiVersionOf(descriptor), kind: descriptor.kind, schema: descriptor.schema },
      {
        client: context.client,
        contentType: context.headers['content-type'],
        fieldValidation,
        warnings,
      },
    )) as unknown as KubeObject;
    placeObject(object, descriptor, context);
    checkName(object, operation.name);
    return object;
  };
  let first: KubeObject | undefined = await decoded(context.warnings);
  /** Each attempt fills in its object, so a further attempt decodes the body again. */
  const wanted = async (): Promise<KubeObject> => {
    const object = first ?? (await decoded([]));
    first = undefined;
    return object;
  };
  try {
    const stored = await replaceObject(context, services, {
      strategy: strategyOf(descriptor, operation.subresource),
      dryRun,
      isLarge: isLargeBody(body, context.headers['content-type']),
      next: wanted,
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
    const object = await wanted();
    delete object.metadata.resourceVersion;
    const stored = await createObject(object, { context, services, dryRun });
    await respondObject(context, descriptor, 201, stored);
  }
}

export const strategyOf = (
  descriptor: ResourceDescriptor,
  subresource: string,
): UpdateStrategy<KubeObject> | undefined =>
  subresource === '' ? descriptor.update : memberOf(descriptor.subresources, subresource)?.update;
