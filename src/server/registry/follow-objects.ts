import { setTimeout as delay } from 'node:timers/promises';
import { createBackoff } from '../../machinery/backoff.ts';
import type { Logger } from '../../machinery/log.ts';
import type { KubeObject } from '../../machinery/meta.ts';
import type { ObjectStore } from './object-store.ts';

export interface Follower<T extends KubeObject> {
  put(object: T): void;
  remove(namespace: string, name: string): void;
  /** What was told so far is no longer known to be true. */
  clear(): void;
}

export interface FollowOptions {
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/**
 * Tells of every object of a resource, now and from then on. Who follows before the server listens
 * is told before any client: a write's own asker finds it known. When the watch is lost, the
 * follower is cleared and told all anew.
 * @returns when all that is there was told
 */
export async function followObjects<T extends KubeObject>(
  objects: ObjectStore<T>,
  follower: Follower<T>,
  { signal, log }: FollowOptions,
): Promise<void> {
  const backoff = createBackoff({ initialMs: 100, maxMs: 30_000 });
  const follow = async (): Promise<void> => {
    let over = false;
    const lost = (error: unknown): void => {
      if (over || signal.aborted) return;
      over = true;
      follower.clear();
      log.error('Objects are not known until their watch is back', { error: String(error) });
      void again();
    };
    try {
      await objects.watch(
        {},
        {
          onEvent(type, object) {
            if (type === 'DELETED') follower.remove(object.namespace, object.name);
            else follower.put(object.object() as T);
          },
          onBookmark: () => undefined,
          onError: lost,
        },
        signal,
      );
    } catch (error) {
      if (over) return;
      over = true;
      throw error;
    }
    backoff.reset('');
  };
  const again = async (): Promise<void> => {
    while (!signal.aborted) {
      await delay(backoff.next(''), undefined, { signal }).catch(() => undefined);
      try {
        return await follow();
      } catch (error) {
        follower.clear();
        if (!signal.aborted) log.error('Objects are still not known', { error: String(error) });
      }
    }
  };
  await follow();
}
