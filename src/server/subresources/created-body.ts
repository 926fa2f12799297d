import { badRequest } from '../../machinery/status.ts';
import type { KubeObject } from '../../machinery/meta.ts';
import type { ExpectedKind } from '../negotiation/decode.ts';
import type { RequestContext, VerbServices } from '../operation/operation.ts';
import { admissionRequest } from '../verbs/admission-request.ts';
import { decodedBody } from '../verbs/decoded-body.ts';
import { writeOptionsOf } from '../verbs/write-options.ts';

export interface CreatedBody<T> {
  readonly body: T;
  readonly dryRun: boolean;
}

/**
 * The body of a subresource that is created, decoded and admitted as every other write is.
 * @throws StatusError, also where the body names another object than the URL
 */
export async function createdBody<T extends KubeObject>(
  context: RequestContext,
  { admission }: VerbServices,
  expected: ExpectedKind<T>,
): Promise<CreatedBody<T>> {
  const { dryRun, fieldValidation } = writeOptionsOf(context.query, 'CreateOptions');
  const body = await decodedBody(context, expected, { fieldValidation });
  const { name, namespace } = body.metadata ?? {};
  const { operation } = context;
  if (name && name !== operation.name)
    throw badRequest(`name in URL does not match name in ${expected.kind} object`);
  if (namespace && namespace !== operation.namespace)
    throw badRequest(`namespace in URL does not match namespace in ${expected.kind} object`);
  const request = admissionRequest(context, {
    operation: 'create',
    object: body,
    old: undefined,
    dryRun,
  });
  await admission.mutate(request);
  await admission.validate(request);
  return { body, dryRun };
}
