import { setMaxListeners } from 'node:events';
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
  /** Ends the informers of a resource that is no longer served. */
  stop(ref: ResourceRef): void;
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
  const stops = new Map<string, AbortController>();
  const whole = new Map<string, Informer<KubeObject>>();
  const metadata = new Map<string, Informer<KubeObject>>();
  const keyOf = (ref: ResourceRef): string => `${apiVersionOf(ref)}/${ref.plural}`;
  /** Ends one resource's informers, with all the others at the latest. */
  const signalOf = (ref: ResourceRef): AbortSignal => {
    const key = keyOf(ref);
    let stop = stops.get(key);
    if (stop === undefined) {
      const own = new AbortController();
      setMaxListeners(0, own.signal);
      if (signal.aborted) own.abort();
      signal.addEventListener('abort', () => own.abort(), { once: true, signal: own.signal });
      stops.set(key, (stop = own));
    }
    return stop.signal;
  };
  return {
    of<T extends KubeObject>(ref: ResourceRef<T>) {
      const known = whole.get(keyOf(ref));
      // The key stands for the type: a resource has one.
      if (known !== undefined) return known as unknown as Informer<T>;
      const informer = createInformer(client.resource(ref), { signal: signalOf(ref), log });
      whole.set(keyOf(ref), informer);
      return informer;
    },
    metadata(ref) {
      const known = whole.get(keyOf(ref)) ?? metadata.get(keyOf(ref));
      if (known !== undefined) return known;
      const informer = createInformer(client.metadata(ref), {
        transform: lifeOf,
        signal: signalOf(ref),
        log,
      });
      metadata.set(keyOf(ref), informer);
      return informer;
    },
    stop(ref) {
      const key = keyOf(ref);
      stops.get(key)?.abort();
      for (const each of [stops, whole, metadata]) each.delete(key);
    },
  };
}

function lifeOf({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const { labels: _labels, annotations: _annotations, managedFields: _fields, ...rest } = metadata;
  return { apiVersion, kind, metadata: rest };
}
