import type { KubeClient } from '../../client/client.ts';
import { createInformer, type Informer } from '../../client/informer.ts';
import type { Logger } from '../../machinery/log.ts';
import { NotFoundReference } from './not-found-reference.ts';
import type { ObjectReference } from '../../api/core/v1/pod/pod-references.ts';
import {
  clientFor,
  notRegistered,
  type ReferencedObject,
  type ReferencedObjects,
} from './referenced-objects.ts';

interface Watched {
  readonly informer: Informer<ReferencedObject>;
  readonly stop: AbortController;
  synced: boolean;
}

/** How long a read waits for the first list. */
const syncTimeoutMs = 10_000;

/** Strategy Watch: one list and watch an object, as long as a pod of the node uses it. */
export function createWatchedObjects({
  client,
  signal,
  log,
}: {
  readonly client: KubeClient;
  readonly signal: AbortSignal;
  readonly log: Logger;
}): ReferencedObjects {
  const watched = new Map<string, Watched>();
  const listeners: ((reference: ObjectReference) => void)[] = [];
  signal.addEventListener('abort', () => {
    for (const { stop } of watched.values()) stop.abort();
    watched.clear();
  });

  return {
    open(reference) {
      const { namespace, name, key } = reference;
      if (watched.has(key) || signal.aborted) return;
      const stop = new AbortController();
      const informer = createInformer(clientFor(client, reference), {
        namespace,
        fieldSelector: `metadata.name=${name}`,
        signal: stop.signal,
        log,
      });
      const entry: Watched = { informer, stop, synced: false };
      watched.set(key, entry);
      void informer.synced.then(() => (entry.synced = true));
      informer.onChange(() => {
        for (const listener of listeners) listener(reference);
      });
    },
    close({ key }) {
      watched.get(key)?.stop.abort();
      watched.delete(key);
    },
    async get(reference) {
      const { kind, namespace, name, key } = reference;
      const entry = watched.get(key);
      if (entry === undefined) throw notRegistered(reference);
      if (!entry.synced) await synced(entry, kind);
      const object = entry.informer.get(namespace, name);
      if (object !== undefined) return object;
      if (entry.stop.signal.aborted) throw notRegistered(reference);
      throw new NotFoundReference(kind, name);
    },
    onChange(listener) {
      listeners.push(listener);
    },
  };
}

async function synced({ informer }: Watched, kind: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const text = `failed to sync ${kind.toLowerCase()} cache: timed out waiting for the condition`;
    timer = setTimeout(() => reject(new Error(text)), syncTimeoutMs);
  });
  try {
    await Promise.race([informer.synced, late]);
  } finally {
    clearTimeout(timer);
  }
}
