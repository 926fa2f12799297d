import type { KubeObject } from '../../machinery/meta.ts';
import type { UpdateStrategy } from '../../machinery/resource.ts';
import type { RequestContext, VerbServices } from '../operation/operation.ts';
import type { StoredObject } from '../registry/object-store.ts';
import { parseOwnJson } from '../../machinery/decode/own-json.ts';
import { isLargeObject, turnOf } from '../negotiation/large-work.ts';
import { unkept } from '../registry/unkept.ts';
import { admissionRequest } from './admission-request.ts';
import { dedupOwners } from './dedup-owners.ts';
import { addWarnings, checkUpdate, strategyContext } from './write-rules.ts';

export interface Replacement {
  readonly strategy: UpdateStrategy<KubeObject> | undefined;
  readonly dryRun: boolean;
  /** Whether the request's body is so large that its steps are pieces of work of their own. */
  readonly isLarge: boolean;
  /** Makes the wanted object; asked again when another write came between. */
  next(current: StoredObject): KubeObject | Promise<KubeObject>;
}

/** The way of PUT and PATCH alike: rules, admission, write; removal when the last finalizer has gone. */
export async function replaceObject(
  context: RequestContext,
  { entry, admission }: VerbServices,
  { strategy, dryRun, isLarge, next }: Replacement,
): Promise<StoredObject> {
  const { descriptor, objects } = entry;
  const { namespace, name } = context.operation;
  let written: KubeObject | undefined;
  const change = async (stored: StoredObject): Promise<KubeObject> => {
    const turn = turnOf(context.client, isLarge || isLargeObject(stored.json));
    await turn();
    const wanted = await next(stored);
    await turn();
    // A copy of its own: what is stored is shared.
    const current = parseOwnJson(stored.json.toString()) as KubeObject;
    await turn();
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
    await turn();
    await admission.validate(request);
    addWarnings(context, [...repeatedOwners, ...(descriptor.warnings?.(wanted, current) ?? [])]);
    await turn();
    return (written = wanted);
  };
  if (dryRun) return unkept(await change(await objects.get(namespace, name)));
  const stored = await objects.replace(namespace, name, change);
  const object = written ?? stored.object();
  const { metadata } = object;
  const isOver =
    metadata.deletionTimestamp !== undefined &&
    (metadata.finalizers ?? []).length === 0 &&
    (metadata.deletionGracePeriodSeconds ?? 0) === 0 &&
    (descriptor.isFinalized?.(object) ?? true);
  return isOver ? objects.delete(namespace, name, { uid: metadata.uid ?? '' }) : stored;
}
