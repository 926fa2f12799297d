import { timestamp } from '../../machinery/timestamp.ts';
import { BindingSchema, type Binding } from '../../api/core/v1/binding.ts';
import type { Pod } from '../../api/core/v1/pod.ts';
import type { KubeObject } from '../../machinery/meta.ts';
import { badRequest, conflict, success } from '../../machinery/status.ts';
import type { ExpectedKind } from '../negotiation/decode.ts';
import type { VerbHandler } from '../operation/operation.ts';
import { createdBody } from './created-body.ts';

const bindingKind: ExpectedKind<Binding> = {
  apiVersion: 'v1',
  kind: 'Binding',
  schema: BindingSchema,
};

/** Puts a pod on a node, once. */
export const bindingHandler: VerbHandler = async (context, services) => {
  const { entry } = services;
  const { namespace, name } = context.operation;
  const { body, dryRun } = await createdBody(context, services, bindingKind);
  const node = body.target?.name;
  if (!node) throw badRequest('target.name: Required value');
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
  if (dryRun) bind(structuredClone((await entry.objects.get(namespace, name)).object()));
  else await entry.objects.update(namespace, name, bind);
  return { type: 'value', code: 201, value: success({ code: 201 }) };
};
