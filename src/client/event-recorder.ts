import { randomBytes } from 'node:crypto';
import { timestamp } from '../machinery/timestamp.ts';
import { eventResource, type Event } from '../api/core/v1/event.ts';
import type { Logger } from '../machinery/log.ts';
import type { KubeObject } from '../machinery/meta.ts';
import { isStatusError } from '../machinery/status.ts';
import type { KubeClient } from './client.ts';

export type EventType = 'Normal' | 'Warning';

/** Tells what happens to objects, as the kubelet does: a repeat raises the count of the first. */
export interface EventRecorder {
  event(
    object: KubeObject,
    type: EventType,
    reason: string,
    message: string,
    fieldPath?: string,
  ): void;
  /** Resolves when all that was told so far is written, or was given up. */
  flush(): Promise<void>;
}

export interface EventRecorderOptions {
  readonly client: KubeClient;
  readonly component: string;
  readonly host?: string;
  readonly log?: Logger;
}

/** Repeats are counted for so long; what was told before that is told anew. */
const aggregateForMs = 10 * 60_000;
const maxRemembered = 2000;

interface Told {
  readonly name: string;
  count: number;
  atMs: number;
}

export function createEventRecorder({
  client,
  component,
  host,
  log,
}: EventRecorderOptions): EventRecorder {
  const events = client.resource(eventResource);
  const told = new Map<string, Told>();
  let queue: Promise<void> = Promise.resolve();

  const write = async (key: string, event: Event): Promise<void> => {
    const namespace = event.metadata.namespace ?? 'default';
    const known = told.get(key);
    if (known !== undefined && Date.now() - known.atMs < aggregateForMs) {
      known.count += 1;
      known.atMs = Date.now();
      const { lastTimestamp, message } = event;
      try {
        await events.patch(namespace, known.name, 'strategic', {
          count: known.count,
          lastTimestamp,
          message,
        });
        return;
      } catch (error) {
        // It expired, or went with its namespace: told anew.
        if (!isStatusError(error, 'NotFound')) throw error;
      }
    }
    await events.create(event);
    told.delete(key);
    told.set(key, { name: event.metadata.name ?? '', count: 1, atMs: Date.now() });
    if (told.size > maxRemembered) told.delete(told.keys().next().value ?? '');
  };

  return {
    event(object, type, reason, message, fieldPath) {
      const { name = '', namespace = '', uid = '', resourceVersion = '' } = object.metadata;
      const now = timestamp();
      const event: Event = {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: {
          name: `${name}.${randomBytes(8).toString('hex')}`,
          namespace: namespace || 'default',
        },
        involvedObject: {
          apiVersion: object.apiVersion,
          kind: object.kind,
          ...(namespace === '' ? {} : { namespace }),
          name,
          uid,
          resourceVersion,
          ...(fieldPath === undefined ? {} : { fieldPath }),
        },
        reason,
        message,
        type,
        source: { component, ...(host === undefined ? {} : { host }) },
        firstTimestamp: now,
        lastTimestamp: now,
        count: 1,
        reportingComponent: component,
        reportingInstance: host ?? '',
      };
      const key = [uid, fieldPath, type, reason, message].join('\n');
      queue = queue
        .then(() => write(key, event))
        .catch((error: unknown) =>
          log?.debug('An event was not written', { reason, error: String(error) }),
        );
    },
    flush: () => queue,
  };
}
