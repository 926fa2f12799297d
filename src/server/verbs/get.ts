import type { RequestContext, VerbServices } from '../operation/operation.ts';
import { respondObject } from '../negotiation/encode.ts';

export async function get(context: RequestContext, { entry }: VerbServices): Promise<void> {
  const { descriptor, objects } = entry;
  const { namespace, name } = context.operation;
  await respondObject(context, descriptor, 200, await objects.get(namespace, name));
}
