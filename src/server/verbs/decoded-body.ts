import type { KubeObject } from '../../machinery/meta.ts';
import { apiVersionOf, type ResourceDescriptor } from '../../machinery/resource.ts';
import { decodeBody } from '../negotiation/decode-body.ts';
import type { ExpectedKind } from '../negotiation/decode.ts';
import type { RequestContext } from '../operation/operation.ts';
import type { FieldValidation } from './write-options.ts';

export interface DecodedBodyOptions {
  readonly fieldValidation: FieldValidation;
  /** @default those of the answer */
  readonly warnings?: string[];
}

/** A request's body as an object of the expected kind. @throws StatusError as `decodeBody` */
export const decodedBody = <T extends object>(
  { body, client, headers, warnings: ofAnswer }: RequestContext,
  expected: ExpectedKind<T>,
  { fieldValidation, warnings = ofAnswer }: DecodedBodyOptions,
): Promise<T> =>
  decodeBody(body, expected, {
    client,
    contentType: headers['content-type'],
    fieldValidation,
    warnings,
  });

export const kindOf = <T extends KubeObject>(
  descriptor: ResourceDescriptor<T>,
): ExpectedKind<T> => ({
  apiVersion: apiVersionOf(descriptor),
  kind: descriptor.kind,
  schema: descriptor.schema,
});
