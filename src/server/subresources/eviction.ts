import { EvictionSchema, type Eviction } from '../../api/policy/v1/eviction.ts';
import { badRequest } from '../../machinery/status.ts';
import { decodeBody } from '../negotiation/decode-body.ts';
import { respondValue } from '../negotiation/encode.ts';
import { checkedDeleteOptions } from '../verbs/delete-options.ts';
import { admitAndDelete } from '../verbs/delete.ts';
import { writeOptionsOf } from '../verbs/write-options.ts';
import type { SubresourceHandler } from '../operation/operation.ts';

/** Deletes the pod, gracefully: nothing here sets a budget that could refuse it. */
export const evictionHandler: SubresourceHandler = async (context, services) => {
  const eviction = (await decodeBody(
    context.body,
    { apiVersion: 'policy/v1', kind: 'Eviction', schema: EvictionSchema },
    {
      client: context.client,
      contentType: context.headers['content-type'],
      fieldValidation: 'Ignore',
      warnings: [],
    },
  )) as unknown as Eviction;
  const { name } = context.operation;
  const evicted = eviction.metadata?.name;
  if (evicted && evicted !== name)
    throw badRequest('name in URL does not match name in Eviction object');
  writeOptionsOf(context.query, 'CreateOptions');
  const options = checkedDeleteOptions(eviction.deleteOptions ?? {}, context.query);
  await admitAndDelete(context, services, options);
  await respondValue(context, 201, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    code: 201,
  });
};
