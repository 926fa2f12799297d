import { isDeepStrictEqual } from 'node:util';
import { timestamp } from '../../machinery/timestamp.ts';
import { success } from '../../machinery/status.ts';
import type { KubeObject } from '../../machinery/meta.ts';
import type { DeleteOptionsBody } from '../../machinery/options.ts';
import { apiVersionOf, type ResourceDescriptor } from '../../machinery/resource.ts';
import type { RequestContext, VerbHandler, VerbServices } from '../operation/operation.ts';
import { checkPreconditions } from '../registry/create-object-store.ts';
import type { StoredObject } from '../registry/object-store.ts';
import { isDamaged } from '../registry/store-errors.ts';
import { unkept } from '../registry/unkept.ts';
import { admissionRequest } from './admission-request.ts';
import { deleteOptionsOf } from './delete-options.ts';
import { strategyContext } from './write-rules.ts';

export const remove: VerbHandler = async (context, services) => {
  const { descriptor } = services.entry;
  const options = await deleteOptionsOf(context);
  const { object, gone } = await admitAndDelete(context, services, options);
  // A pod that is removed at once is answered itself, as the pod strategy has it.
  if (!gone || descriptor.gracePeriodSeconds !== undefined)
    return { type: 'object', code: 200, object };
  const { metadata } = object.object();
  const { group, plural } = descriptor;
  const details = {
    name: metadata.name ?? '',
    ...(group === '' ? {} : { group }),
    kind: plural,
    uid: metadata.uid ?? '',
  };
  return { type: 'value', code: 200, value: success({ details }) };
};

/** Deletes an object after admission. @throws StatusError */
export const admitAndDelete = (
  context: RequestContext,
  services: VerbServices,
  options: DeleteOptionsBody,
  target: ObjectName = context.operation,
): Promise<Deletion> =>
  deleteObject(context, services.entry, {
    options,
    target,
    async admit(old, dryRun) {
      const request = admissionRequest(context, {
        operation: 'delete',
        namespace: target.namespace,
        name: target.name,
        object: undefined,
        old,
        dryRun,
      });
      await services.admission.mutate(request);
      await services.admission.validate(request);
    },
  });

interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

export interface Deletion {
  readonly object: StoredObject;
  /** Whether it is removed, and not only marked as deleted. */
  readonly gone: boolean;
}

/** Longer ones would lead to times that cannot be written. */
const maxGraceSeconds = 2 ** 31 - 1;

interface DeletionRequest {
  readonly options: DeleteOptionsBody;
  readonly target: ObjectName;
  /** Refuses by throwing. */
  readonly admit?: (object: KubeObject, dryRun: boolean) => Promise<void>;
}

/** Removes an object, or marks it as deleted while something holds it. @throws StatusError */
export async function deleteObject(
  context: RequestContext,
  { descriptor, objects }: VerbServices['entry'],
  { options, target: { namespace, name }, admit }: DeletionRequest,
): Promise<Deletion> {
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
  const dryRun = (options.dryRun ?? []).length > 0;
  await admit?.(current.object(), dryRun);
  if (dryRun) return { object: current, gone: true };

  if (!isWhole) {
    context.warnings.push(
      `${descriptor.plural} ${JSON.stringify(name)} was deleted at once: its stored value is damaged, so that neither its grace period nor its finalizers are known`,
    );
    return { object: await objects.delete(namespace, name, preconditions), gone: true };
  }

  const object = current.object();
  const asked = descriptor.gracePeriodSeconds?.(object, options.gracePeriodSeconds) ?? 0;
  const grace = Math.min(asked, maxGraceSeconds);
  // What was admitted is deleted, and not another of the same name.
  const expected = { uid: object.metadata.uid ?? '', ...preconditions };
  const finalizers = finalizersFor(object, options);
  const isFinalized = finalizers.length === 0 && (descriptor.isFinalized?.(object) ?? true);
  if (grace === 0 && isFinalized)
    return { object: await objects.delete(namespace, name, expected), gone: true };
  const marked = await objects.replace(namespace, name, stored => {
    checkPreconditions(descriptor, stored, expected);
    const ending = structuredClone(stored.object());
    return markDeleted(ending, descriptor, { graceSeconds: grace, options });
  });
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
  descriptor: ResourceDescriptor,
  { graceSeconds, options }: { readonly graceSeconds: number; readonly options: DeleteOptionsBody },
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
  descriptor.beginDeletion?.(object);
  return object;
}
