import { EvictionSchema, type Eviction } from '../../api/policy/v1/eviction.ts';
import { readBody } from '../http/context.ts';
import { decodeBody } from '../negotiation/decode-body.ts';
import { respondValue } from '../negotiation/encode.ts';
import { deleteObject } from '../verbs/delete.ts';
import type { SubresourceHandler } from './handlers.ts';

/** Deletes the pod, gracefully: nothing here sets a budget that could refuse it. */
export const evictionHandler: SubresourceHandler = async (context, services) => {
  const eviction = (await decodeBody(
    await readBody(context.request),
    { apiVersion: 'policy/v1', kind: 'Eviction', schema: EvictionSchema },
    { contentType: context.headers['content-type'], fieldValidation: 'Ignore', warnings: [] },
  )) as unknown as Eviction;
  await deleteObject(context, services, eviction.deleteOptions ?? {}, context.operation.name);
  await respondValue(context, 201, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    code: 201,
  });
};
