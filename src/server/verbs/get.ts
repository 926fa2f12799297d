import type { RequestContext } from '../http/context.ts';
import { respondObject } from '../negotiation/encode.ts';
import type { VerbServices } from '../resource-entry.ts';

export async function get(context: RequestContext, { entry }: VerbServices): Promise<void> {
  const { descriptor, objects } = entry;
  const { name } = context.info;
  // The path of namespaces suggests a namespace, but they are in none.
  const namespace = descriptor.namespaced ? context.info.namespace : '';
  await respondObject(context, descriptor, 200, await objects.get(namespace, name));
}
