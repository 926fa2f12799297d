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
  const lost = (error: unknown): void => {
    if (signal.aborted) return;
    follower.clear();
    log.error('Objects are not known until their watch is back', { error: String(error) });
    const timer = setTimeout(() => void follow().catch(lost), backoff.next(''));
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  };
  const follow = async (): Promise<void> => {
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
    backoff.reset('');
  };
  await follow();
}
