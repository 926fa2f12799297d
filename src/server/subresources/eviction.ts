import { EvictionSchema, type Eviction } from '../../api/policy/v1/eviction.ts';
import { success } from '../../machinery/status.ts';
import { declaredApiVersion } from '../negotiation/declared-api-version.ts';
import type { ExpectedKind } from '../negotiation/decode.ts';
import type { VerbHandler } from '../operation/operation.ts';
import { checkedDeleteOptions } from '../verbs/delete-options.ts';
import { deleteObject } from '../verbs/delete.ts';
import { createdBody } from './created-body.ts';

const evictionKind: ExpectedKind<Eviction> = {
  apiVersion: 'policy/v1',
  kind: 'Eviction',
  schema: EvictionSchema,
};

/** Deletes the pod, gracefully: nothing here sets a budget that could refuse it. */
export const evictionHandler: VerbHandler = async (context, services) => {
  const declared = declaredApiVersion(context.body, context.headers['content-type']);
  const { body } = await createdBody(context, services, {
    ...evictionKind,
    // What kubectl sent until 1.21 has the same fields.
    ...(declared === 'policy/v1beta1' ? { apiVersion: declared } : {}),
  });
  await deleteObject(context, services.entry, {
    options: checkedDeleteOptions(body.deleteOptions ?? {}, context.query),
    target: context.operation,
  });
  return { type: 'value', code: 201, value: success({ code: 201 }) };
};
