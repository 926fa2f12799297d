import { timestamp } from '../../machinery/timestamp.ts';
import { BindingSchema, type Binding } from '../../api/core/v1/binding.ts';
import type { Pod } from '../../api/core/v1/pod.ts';
import type { KubeObject } from '../../machinery/meta.ts';
import { badRequest, conflict } from '../../machinery/status.ts';
import { decodeBody } from '../negotiation/decode-body.ts';
import { respondValue } from '../negotiation/encode.ts';
import { writeOptionsOf } from '../verbs/write-options.ts';
import type { SubresourceHandler } from '../operation/operation.ts';

/** Puts a pod on a node, once. */
export const bindingHandler: SubresourceHandler = async (context, { entry }) => {
  const binding = (await decodeBody(
    context.body,
    { apiVersion: 'v1', kind: 'Binding', schema: BindingSchema },
    {
      client: context.client,
      contentType: context.headers['content-type'],
      fieldValidation: 'Ignore',
      warnings: [],
    },
  )) as unknown as Binding;
  const node = binding.target?.name;
  if (!node) throw badRequest('target.name: Required value');
  const { namespace, name } = context.operation;
  const bound = binding.metadata?.name;
  if (bound && bound !== name)
    throw badRequest('name in URL does not match name in Binding object');
  const bind = (object: KubeObject): KubeObject => {
    const pod = object as Pod;
    if (pod.metadata.deletionTimestamp !== undefined)
      throw conflict(
        entry.descriptor,
        name,
        `pod ${name} is being deleted, cannot be assigned to a host`,
      );
    if (pod.spec.nodeName)
      throw conflict(
        entry.descriptor,
        name,
        `pod ${name} is already assigned to node "${pod.spec.nodeName}"`,
      );
    pod.spec.nodeName = node;
    const lastTransitionTime = timestamp();
    pod.status = {
      ...pod.status,
      conditions: [
        ...(pod.status?.conditions ?? []).filter(each => each.type !== 'PodScheduled'),
        { type: 'PodScheduled', status: 'True', lastTransitionTime },
      ],
    };
    return pod;
  };
  if (writeOptionsOf(context.query, 'CreateOptions').dryRun)
    bind(structuredClone((await entry.objects.get(namespace, name)).object()));
  else await entry.objects.update(namespace, name, bind);
  await respondValue(context, 201, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    code: 201,
  });
};
