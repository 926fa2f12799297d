import type { KubeObject } from '../../machinery/meta.ts';
import type { Logger } from '../../machinery/log.ts';
import { isStatusError } from '../../machinery/status.ts';
import type { ObjectStore, StoredObject } from './object-store.ts';

/** Which object is due, and no more: the object itself may be large. */
interface Due {
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: number;
  /** By performance.now(): the clock of the machine may be set. */
  readonly atMs: number;
}

/**
 * Ends objects that were not written for `ttlSeconds` (events). One timer, set for the next that is due.
 */
export function startTtl(objects: ObjectStore, ttlSeconds: number, log: Logger): { close(): void } {
  /** In order of last write: the first is the next to go. */
  const due = new Map<string, Due>();
  /** What was there at the start: it comes in the order of names. */
  let present: Due[] | undefined = [];
  const stop = new AbortController();
  let timer: NodeJS.Timeout | undefined;

  const arm = (): void => {
    const [next] = due.values();
    if (timer !== undefined || next === undefined || stop.signal.aborted) return;
    timer = setTimeout(sweep, Math.max(0, next.atMs - performance.now())).unref();
  };
  const sweep = (): void => {
    timer = undefined;
    for (const [key, each] of due) {
      if (each.atMs > performance.now()) break;
      due.delete(key);
      end(each);
    }
    arm();
  };
  const end = ({ namespace, name, resourceVersion }: Due): void => {
    // Written again meanwhile: then it is due anew.
    objects
      .delete(namespace, name, { resourceVersion: String(resourceVersion) })
      .catch((error: unknown) => {
        if (isStatusError(error, 'NotFound') || isStatusError(error, 'Conflict')) return;
        if (!stop.signal.aborted)
          log.warn('An expired object stays', { name, error: String(error) });
      });
  };
  const keep = (each: Due): void => {
    const key = `${each.namespace}/${each.name}`;
    due.delete(key);
    due.set(key, each);
  };

  objects
    .watch(
      { sendInitialEvents: true },
      {
        onEvent(type, object) {
          if (type === 'DELETED') {
            due.delete(`${object.namespace}/${object.name}`);
          } else if (present !== undefined) {
            present.push(dueIn(leftMs(object.object(), ttlSeconds), object));
          } else {
            keep(dueIn(ttlSeconds * 1000, object));
            arm();
          }
        },
        onBookmark() {
          for (const each of (present ?? []).toSorted((a, b) => a.atMs - b.atMs)) keep(each);
          present = undefined;
          arm();
        },
        onError: error => log.warn('Objects no longer expire', { error: String(error) }),
      },
      stop.signal,
    )
    .catch((error: unknown) => log.warn('Objects do not expire', { error: String(error) }));
  return {
    close() {
      stop.abort();
      clearTimeout(timer);
    },
  };
}

const dueIn = (ms: number, { namespace, name, resourceVersion }: StoredObject): Due => ({
  namespace,
  name,
  resourceVersion,
  atMs: performance.now() + ms,
});

/** The store does not say when it wrote: the newest time that the object itself tells counts. */
function leftMs(object: KubeObject, ttlSeconds: number): number {
  const { lastTimestamp, eventTime, series } = object as KubeObject & {
    lastTimestamp?: string | null;
    eventTime?: string | null;
    series?: { lastObservedTime?: string | null } | null;
  };
  const ages = [
    object.metadata.creationTimestamp,
    lastTimestamp,
    eventTime,
    series?.lastObservedTime,
  ]
    .map(time => Date.now() - Date.parse(time ?? ''))
    .filter(age => age >= 0);
  return ttlSeconds * 1000 - (ages.length === 0 ? 0 : Math.min(...ages));
}
