import type { KubeObject } from '../../machinery/meta.ts';
import type { UpdateStrategy } from '../../machinery/resource.ts';
import type { RequestContext } from '../http/context.ts';
import type { StoredObject } from '../registry/object-store.ts';
import { unkept } from '../registry/unkept.ts';
import type { VerbServices } from '../resource-entry.ts';
import { admissionRequest } from './admission-request.ts';
import { dedupOwners } from './dedup-owners.ts';
import { addWarnings, checkUpdate, strategyContext } from './write-rules.ts';

export interface Replacement {
  readonly strategy: UpdateStrategy<KubeObject> | undefined;
  readonly dryRun: boolean;
  /** Makes the wanted object; asked again when another write came between. */
  next(current: KubeObject): KubeObject;
}

/** The way of PUT and PATCH alike: rules, admission, write; removal when the last finalizer has gone. */
export async function replaceObject(
  context: RequestContext,
  { entry, admission }: VerbServices,
  { strategy, dryRun, next }: Replacement,
): Promise<StoredObject> {
  const { descriptor, objects } = entry;
  const { namespace, name } = context.operation;
  const change = async (current: KubeObject): Promise<KubeObject> => {
    const wanted = next(structuredClone(current));
    const repeatedOwners = dedupOwners(wanted.metadata);
    descriptor.applyDefaults?.(wanted);
    const request = admissionRequest(context, {
      operation: 'update',
      object: wanted,
      old: current,
      dryRun,
    });
    await admission.mutate(request);
    checkUpdate(wanted, current, { descriptor, strategy, context: strategyContext() });
    await admission.validate(request);
    addWarnings(context, [...repeatedOwners, ...(descriptor.warnings?.(wanted, current) ?? [])]);
    return wanted;
  };
  if (dryRun)
    return unkept(await change(structuredClone((await objects.get(namespace, name)).object())));
  const stored = await objects.update(namespace, name, change);
  const object = stored.object();
  const { metadata } = object;
  const isOver =
    metadata.deletionTimestamp !== undefined &&
    (metadata.finalizers ?? []).length === 0 &&
    (metadata.deletionGracePeriodSeconds ?? 0) === 0 &&
    (descriptor.isFinalized?.(object) ?? true);
  return isOver ? objects.delete(namespace, name, { uid: metadata.uid ?? '' }) : stored;
}
