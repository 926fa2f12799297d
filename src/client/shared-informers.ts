import type { Logger } from '../machinery/log.ts';
import type { KubeObject } from '../machinery/meta.ts';
import { apiVersionOf, type ResourceRef } from '../machinery/resource.ts';
import type { KubeClient } from './client.ts';
import { createInformer, type Informer } from './informer.ts';

/** One informer a resource, however many ask for it. All end when the signal aborts. */
export interface SharedInformers {
  of<T extends KubeObject>(ref: ResourceRef<T>): Informer<T>;
  /**
   * Of metadata only what identifies an object and decides about its life: no labels, annotations or
   * managed fields.
   */
  metadata(ref: ResourceRef): Informer<KubeObject>;
}

export function createSharedInformers({
  client,
  signal,
  log,
}: {
  readonly client: KubeClient;
  readonly signal: AbortSignal;
  readonly log: Logger;
}): SharedInformers {
  const whole = new Map<string, Informer<KubeObject>>();
  const metadata = new Map<string, Informer<KubeObject>>();
  const keyOf = (ref: ResourceRef): string => `${apiVersionOf(ref)}/${ref.plural}`;
  return {
    of<T extends KubeObject>(ref: ResourceRef<T>) {
      const known = whole.get(keyOf(ref));
      // The key stands for the type: a resource has one.
      if (known !== undefined) return known as unknown as Informer<T>;
      const informer = createInformer(client.resource(ref), { signal, log });
      whole.set(keyOf(ref), informer);
      return informer;
    },
    metadata(ref) {
      const known = whole.get(keyOf(ref)) ?? metadata.get(keyOf(ref));
      if (known !== undefined) return known;
      const informer = createInformer(client.metadata(ref), { transform: lifeOf, signal, log });
      metadata.set(keyOf(ref), informer);
      return informer;
    },
  };
}

function lifeOf({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const { labels: _labels, annotations: _annotations, managedFields: _fields, ...rest } = metadata;
  return { apiVersion, kind, metadata: rest };
}
