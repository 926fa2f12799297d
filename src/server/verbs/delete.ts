import { isDeepStrictEqual } from 'node:util';
import { timestamp } from '../../machinery/timestamp.ts';
import type { KubeObject } from '../../machinery/meta.ts';
import type { DeleteOptionsBody } from '../../machinery/options.ts';
import { apiVersionOf, type ResourceDescriptor } from '../../machinery/resource.ts';
import type { RequestContext } from '../http/context.ts';
import { respondObject, respondValue } from '../negotiation/encode.ts';
import { checkPreconditions } from '../registry/create-object-store.ts';
import type { StoredObject } from '../registry/object-store.ts';
import { isDamaged } from '../registry/store-errors.ts';
import { unkept } from '../registry/unkept.ts';
import type { VerbServices } from '../resource-entry.ts';
import { addWarnings } from './write-rules.ts';
import { deleteOptionsOf } from './delete-options.ts';
import { strategyContext } from './write-rules.ts';

export async function remove(context: RequestContext, services: VerbServices): Promise<void> {
  const { descriptor } = services.entry;
  const options = await deleteOptionsOf(context.body, context);
  const { object, gone } = await deleteObject(context, services, options, context.operation.name);
  if (!gone) {
    await respondObject(context, descriptor, 200, object);
    return;
  }
  const { metadata } = object.object();
  const status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name: metadata.name ?? '',
      ...(descriptor.group === '' ? {} : { group: descriptor.group }),
      kind: descriptor.plural,
      uid: metadata.uid ?? '',
    },
  };
  // A pod that is removed at once is answered itself, as the pod strategy has it.
  if (descriptor.gracePeriodSeconds !== undefined)
    await respondObject(context, descriptor, 200, object);
  else await respondValue(context, 200, status);
}

export async function deleteObject(
  context: RequestContext,
  { entry, admission }: VerbServices,
  options: DeleteOptionsBody,
  name: string,
  namespace = context.operation.namespace,
): Promise<{ object: StoredObject; gone: boolean }> {
  const { descriptor, objects } = entry;
  const preconditions = {
    ...(options.preconditions?.uid ? { uid: options.preconditions.uid } : {}),
    ...(options.preconditions?.resourceVersion
      ? { resourceVersion: options.preconditions.resourceVersion }
      : {}),
  };
  const current = await objects.get(namespace, name).catch((error: unknown) => {
    if (!isDamaged(error)) throw error;
    return nameOnly(descriptor, namespace, name);
  });
  const isWhole = !('damaged' in current);
  if (isWhole) checkPreconditions(descriptor, current, preconditions);
  await admission({
    operation: 'delete',
    descriptor,
    subresource: context.operation.subresource,
    namespace,
    name,
    object: undefined,
    old: current.object(),
    user: context.user,
    warn: text => addWarnings(context, [text]),
  });
  if ((options.dryRun ?? []).length > 0) return { object: current, gone: true };

  if (!isWhole) {
    context.warnings.push(
      `${descriptor.plural} ${JSON.stringify(name)} was deleted at once: its stored value is damaged, so that neither its grace period nor its finalizers are known`,
    );
    return { object: await objects.delete(namespace, name, preconditions), gone: true };
  }

  const object = current.object();
  const grace = descriptor.gracePeriodSeconds?.(object, options.gracePeriodSeconds) ?? 0;
  const finalizers = finalizersFor(object, options);
  const waits = grace > 0 || finalizers.length > 0 || isNamespace(object);
  if (!waits) return { object: await objects.delete(namespace, name, preconditions), gone: true };
  const marked = await objects.update(namespace, name, each => markDeleted(each, grace, options));
  return { object: marked, gone: false };
}

/** Stands for an object whose stored value is damaged: admission sees its name and nothing else. */
const nameOnly = (descriptor: ResourceDescriptor, namespace: string, name: string) => ({
  ...unkept({
    apiVersion: apiVersionOf(descriptor),
    kind: descriptor.kind,
    metadata: { name, ...(namespace === '' ? {} : { namespace }) },
  }),
  damaged: true,
});

const isNamespace = ({ kind, apiVersion }: KubeObject): boolean =>
  kind === 'Namespace' && apiVersion === 'v1';

const propagationFinalizers = ['orphan', 'foregroundDeletion'];

/** What holds the object once it ends: what did before, and the collector where a policy wants it. */
function finalizersFor(
  { metadata: { finalizers = [] } }: KubeObject,
  { propagationPolicy, orphanDependents }: DeleteOptionsBody,
): readonly string[] {
  if (propagationPolicy === undefined && orphanDependents === undefined) return finalizers;
  const others = finalizers.filter(each => !propagationFinalizers.includes(each));
  if (propagationPolicy === 'Orphan' || orphanDependents === true) return [...others, 'orphan'];
  return propagationPolicy === 'Foreground' ? [...others, 'foregroundDeletion'] : others;
}

/** The object as it is while it ends; a second request may only make the end come sooner, or go another way. */
function markDeleted(
  object: KubeObject,
  graceSeconds: number,
  options: DeleteOptionsBody,
): KubeObject | undefined {
  const { metadata } = object;
  const finalizers = finalizersFor(object, options);
  const isSameWay = isDeepStrictEqual(finalizers, metadata.finalizers ?? []);
  if (finalizers.length > 0) metadata.finalizers = [...finalizers];
  else delete metadata.finalizers;
  if (
    metadata.deletionTimestamp !== undefined &&
    graceSeconds >= (metadata.deletionGracePeriodSeconds ?? 0)
  ) {
    return isSameWay ? undefined : object;
  }
  const { now } = strategyContext();
  const startedMs =
    metadata.deletionTimestamp === undefined
      ? Date.parse(now)
      : Date.parse(metadata.deletionTimestamp) - (metadata.deletionGracePeriodSeconds ?? 0) * 1000;
  metadata.deletionTimestamp = timestamp(startedMs + graceSeconds * 1000);
  metadata.deletionGracePeriodSeconds = graceSeconds;
  if (metadata.generation !== undefined) metadata.generation += 1;
  if (isNamespace(object))
    Object.assign(object, {
      status: { ...(object as { status?: object }).status, phase: 'Terminating' },
    });
  return object;
}
