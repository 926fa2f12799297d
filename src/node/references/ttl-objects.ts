import type { KubeClient } from '../../client/client.ts';
import { isNotFoundReference } from './not-found-reference.ts';
import {
  notRegistered,
  readLive,
  type ReferencedObject,
  type ReferencedObjects,
} from './referenced-objects.ts';

interface Entry {
  object?: ReferencedObject;
  /** That it is not there is an answer as good as the object. */
  absence?: unknown;
  readAtMs: number;
  reading?: Promise<void> | undefined;
}

/**
 * Strategy Cache: asks the server at the first read after a pod came or changed, and when what it read is
 * older than the TTL. A read that fails for another reason than absence leaves the old object in place.
 */
export function createTtlObjects({
  client,
  ttlMs,
  nowMs = () => performance.now(),
}: {
  readonly client: KubeClient;
  readonly ttlMs: number;
  readonly nowMs?: () => number;
}): ReferencedObjects {
  const entries = new Map<string, Entry>();

  return {
    open({ key }) {
      // A new entry: a read that is under way may have begun before the pod's secret was written.
      const { object, absence } = entries.get(key) ?? {};
      entries.set(key, {
        ...(object === undefined ? {} : { object }),
        ...(absence === undefined ? {} : { absence }),
        readAtMs: -Infinity,
      });
    },
    close: ({ key }) => void entries.delete(key),
    async get(reference) {
      const entry = entries.get(reference.key);
      if (entry === undefined) throw notRegistered(reference);
      if (nowMs() - entry.readAtMs >= ttlMs) {
        entry.reading ??= refresh(entry, () => readLive(client, reference));
        await entry.reading;
      }
      if (entry.object === undefined) throw entry.absence;
      return entry.object;
    },
    onChange: () => undefined,
  };

  async function refresh(entry: Entry, read: () => Promise<ReferencedObject>): Promise<void> {
    const startedAtMs = nowMs();
    try {
      const object = await read();
      if (!isOlder(object, entry.object)) entry.object = object;
      entry.readAtMs = startedAtMs;
    } catch (error) {
      if (isNotFoundReference(error)) {
        delete entry.object;
        entry.absence = error;
        entry.readAtMs = startedAtMs;
      } else if (entry.object === undefined) throw error;
    } finally {
      entry.reading = undefined;
    }
  }
}

const isOlder = (next: ReferencedObject, than: ReferencedObject | undefined): boolean =>
  than?.metadata.uid === next.metadata.uid &&
  BigInt(next.metadata.resourceVersion ?? 0) < BigInt(than?.metadata.resourceVersion ?? 0);
