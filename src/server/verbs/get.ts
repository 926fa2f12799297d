import type { RequestContext } from '../http/context.ts';
import { respondObject } from '../negotiation/encode.ts';
import type { VerbServices } from '../resource-entry.ts';

export async function get(context: RequestContext, { entry }: VerbServices): Promise<void> {
  const { descriptor, objects } = entry;
  const { namespace, name } = context.operation;
  await respondObject(context, descriptor, 200, await objects.get(namespace, name));
}
