import type { KubeClient, ListOptions } from '../../client/client.ts';
import { createInformer, type Informer } from '../../client/informer.ts';
import { createGate } from '../../machinery/gate.ts';
import type { Logger } from '../../machinery/log.ts';
import { NotFoundReference } from './not-found-reference.ts';
import type { ObjectReference } from '../../api/core/v1/pod/pod-references.ts';
import {
  clientFor,
  notRegistered,
  type ReferencedObject,
  type ReferencedObjects,
} from './referenced-objects.ts';
import { createTtlObjects } from './ttl-objects.ts';

interface Watched {
  readonly informer: Informer<ReferencedObject>;
  readonly stop: AbortController;
  synced: boolean;
}

export interface WatchedObjectsOptions {
  readonly client: KubeClient;
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** How long what is read of objects that are not watched is trusted. Milliseconds. */
  readonly ttlMs: number;
  readonly nowMs?: () => number;
  readonly maxWatched?: number;
}

/** How long a read waits for the first list. */
const syncTimeoutMs = 10_000;

/** A pod may name thousands of objects: first lists come one after the other, so that the API serves others too. */
const maxListsAtOnce = 16;
/** Each watch takes some 30 KB of the server and the agent together. */
const defaultMaxWatched = 2_000;

/**
 * Strategy Watch: one list and watch an object, as long as a pod of the node uses it. Objects beyond `maxWatched`
 * are read as by strategy Cache.
 */
export function createWatchedObjects({
  client,
  signal,
  log,
  maxWatched = defaultMaxWatched,
  ...ofCache
}: WatchedObjectsOptions): ReferencedObjects {
  const watched = new Map<string, Watched>();
  const gate = createGate(maxListsAtOnce);
  const cached = createTtlObjects({ client, ...ofCache });
  /** Keys of the objects that are not watched. */
  const beyond = new Set<string>();
  const listeners: ((reference: ObjectReference) => void)[] = [];
  signal.addEventListener('abort', () => {
    for (const { stop } of watched.values()) stop.abort();
    watched.clear();
  });

  return {
    open(reference) {
      const { namespace, name, key } = reference;
      if (watched.has(key) || signal.aborted) return;
      if (watched.size >= maxWatched) {
        if (beyond.size === 0)
          log.warn('Pods use more objects than are watched: changes of the others arrive later', {
            watched: maxWatched,
          });
        beyond.add(key);
        cached.open(reference);
        return;
      }
      const stop = new AbortController();
      const objects = clientFor(client, reference);
      const inTurn = { ...objects, list: (of?: ListOptions) => gate(() => objects.list(of)) };
      const informer = createInformer(inTurn, {
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
    close(reference) {
      const { key } = reference;
      if (beyond.delete(key)) cached.close(reference);
      watched.get(key)?.stop.abort();
      watched.delete(key);
    },
    async get(reference) {
      const { kind, namespace, name, key } = reference;
      const entry = watched.get(key);
      if (beyond.has(key)) return gate(() => cached.get(reference));
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
