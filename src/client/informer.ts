import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../machinery/log.ts';
import type { KubeObject } from '../machinery/meta.ts';
import { isStatusError } from '../machinery/status.ts';
import type { ResourceReader } from './client.ts';
import { listPages } from './list-pages.ts';

export type InformerChange<T> =
  | { readonly type: 'added'; readonly object: T }
  | { readonly type: 'updated'; readonly object: T; readonly old: T }
  | { readonly type: 'deleted'; readonly object: T };

/** The newest known state of a set of objects: list, then watch, again and again until the signal aborts. */
export interface Informer<T extends KubeObject> {
  /** Resolves once the first list is in, or when the informer ends before. */
  readonly synced: Promise<void>;
  get(namespace: string, name: string): T | undefined;
  list(): T[];
  /** Called for each change once it is in the cache; at registration for what is there already. */
  onChange(handler: (change: InformerChange<T>) => void): void;
}

export interface InformerOptions<T extends KubeObject> {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** What is kept of each object; by default all of it. Identity and resourceVersion must stay. */
  readonly transform?: (object: T) => T;
  readonly signal: AbortSignal;
  readonly log?: Logger;
}

const maxDelayMs = 30_000;

export function createInformer<T extends KubeObject>(
  client: Pick<ResourceReader<T>, 'ref' | 'list' | 'watch'>,
  {
    namespace,
    labelSelector,
    fieldSelector,
    transform = object => object,
    signal,
    log,
  }: InformerOptions<T>,
): Informer<T> {
  const objects = new Map<string, T>();
  const handlers: ((change: InformerChange<T>) => void)[] = [];
  const scope = {
    signal,
    ...(namespace === undefined ? {} : { namespace }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  };
  const keyOf = ({ metadata }: KubeObject): string =>
    `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
  const emit = (change: InformerChange<T>): void => {
    for (const handler of handlers) handler(change);
  };
  const remove = (object: T): void => {
    if (objects.delete(keyOf(object))) emit({ type: 'deleted', object });
  };
  const put = (object: T): void => {
    const key = keyOf(object);
    const old = objects.get(key);
    if (old?.metadata.resourceVersion === object.metadata.resourceVersion && old !== undefined)
      return;
    // Of an object that was deleted and made anew, the watch may have missed the deletion.
    if (old !== undefined && old.metadata.uid !== object.metadata.uid) remove(old);
    objects.set(key, object);
    if (old === undefined || old.metadata.uid !== object.metadata.uid)
      emit({ type: 'added', object });
    else emit({ type: 'updated', object, old });
  };
  /** @returns the version to watch from */
  const list = async (): Promise<string> => {
    const seen = new Set<string>();
    let version = '';
    for await (const page of listPages(client, scope)) {
      for (const object of page.items) {
        seen.add(keyOf(object));
        put(transform(object));
      }
      version = page.metadata.resourceVersion ?? '';
    }
    for (const [key, object] of objects) if (!seen.has(key)) remove(object);
    return version;
  };

  const watch = async (from: string): Promise<string> => {
    let version = from;
    for await (const { type, object } of client.watch({ ...scope, resourceVersion: version })) {
      version = object.metadata.resourceVersion ?? version;
      if (type === 'DELETED') remove(transform(object));
      else if (type !== 'BOOKMARK') put(transform(object));
    }
    return version;
  };

  const synced = new Promise<void>(resolve => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    const run = async (): Promise<void> => {
      let version = '';
      let failures = 0;
      while (!signal.aborted) {
        try {
          if (version === '') version = await list();
          resolve();
          version = await watch(version);
          failures = 0;
        } catch (error) {
          if (signal.aborted) return;
          if (isStatusError(error, 'Expired') || isStatusError(error, 'Gone')) version = '';
          else {
            failures += 1;
            log?.warn('A watch was lost', {
              resource: client.ref.plural,
              error: (error as Error).message,
            });
            const waitMs = Math.min(50 * 2 ** failures, maxDelayMs) * (0.5 + Math.random());
            await delay(waitMs, undefined, { signal }).catch(() => undefined);
          }
        }
      }
    };
    void run();
  });

  return {
    synced,
    get: (of, name) => objects.get(`${of}/${name}`),
    list: () => [...objects.values()],
    onChange(handler) {
      handlers.push(handler);
      for (const object of objects.values()) handler({ type: 'added', object });
    },
  };
}
