import type { Logger } from '../../machinery/log.ts';
import { isStatusError } from '../../machinery/status.ts';
import type { ObjectStore } from './object-store.ts';

/**
 * Ends objects that were not written for `ttlSeconds` (events). One timer, set for the next that is due.
 */
export function startTtl(objects: ObjectStore, ttlSeconds: number, log: Logger): { close(): void } {
  const due = new Map<string, { namespace: string; name: string; atMs: number }>();
  const stop = new AbortController();
  let timer: NodeJS.Timeout | undefined;

  const arm = (): void => {
    if (timer !== undefined || due.size === 0 || stop.signal.aborted) return;
    // Insertion order is order of last write: the first is the next to go.
    const [next] = due.values();
    timer = setTimeout(sweep, Math.max(0, (next?.atMs ?? 0) - Date.now())).unref();
  };
  const sweep = (): void => {
    timer = undefined;
    for (const [key, { namespace, name, atMs }] of due) {
      if (atMs > Date.now()) break;
      due.delete(key);
      objects.delete(namespace, name).catch((error: unknown) => {
        if (!isStatusError(error, 'NotFound'))
          log.warn('An expired object stays', { key, error: String(error) });
      });
    }
    arm();
  };
  const touch = (namespace: string, name: string, writtenAtMs: number): void => {
    const key = `${namespace}/${name}`;
    due.delete(key);
    due.set(key, { namespace, name, atMs: writtenAtMs + ttlSeconds * 1000 });
    arm();
  };

  void objects.watch(
    {},
    {
      onEvent(type, object) {
        if (type === 'DELETED') due.delete(`${object.namespace}/${object.name}`);
        else if (type === 'MODIFIED') touch(object.namespace, object.name, Date.now());
        else
          touch(
            object.namespace,
            object.name,
            Date.parse(object.object().metadata.creationTimestamp ?? '') || Date.now(),
          );
      },
      onBookmark: () => undefined,
      onError: () => undefined,
    },
    stop.signal,
  );
  return {
    close() {
      stop.abort();
      clearTimeout(timer);
    },
  };
}
