import { timestamp } from '../machinery/timestamp.ts';
import { eventResource, type Event } from '../api/core/v1/event.ts';
import type { Logger } from '../machinery/log.ts';
import type { KubeObject } from '../machinery/meta.ts';
import { isStatusError } from '../machinery/status.ts';
import type { KubeClient } from './client.ts';
import { createEventCorrelator, type Correlated } from './event-correlator.ts';

export type EventType = 'Normal' | 'Warning';

/** Tells what happens to objects, as client-go's recorder does. */
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

export function createEventRecorder({
  client,
  component,
  host,
  log,
}: EventRecorderOptions): EventRecorder {
  const events = client.resource(eventResource);
  const correlator = createEventCorrelator();
  let queue: Promise<void> = Promise.resolve();
  let lastNs = 0n;

  /** Nanoseconds, each later than the one before: names made of them sort as things happened. */
  const nextNs = (): bigint => {
    const ns = BigInt(Date.now()) * 1_000_000n;
    lastNs = ns > lastNs ? ns : lastNs + 1n;
    return lastNs;
  };

  const write = async ({ event, repeated }: Correlated): Promise<void> => {
    if (repeated !== undefined) {
      const { lastTimestamp, message } = event;
      const change = { count: repeated.count, lastTimestamp, message };
      try {
        await events.patch(event.metadata.namespace ?? '', repeated.name, 'strategic', change);
        return;
      } catch (error) {
        // It expired, or went with its namespace: told anew, under its name.
        if (!isStatusError(error, 'NotFound')) throw error;
      }
    }
    const { name = event.metadata.name, count = 1 } = repeated ?? {};
    await events.create({ ...event, metadata: { ...event.metadata, name: name ?? '' }, count });
  };

  return {
    event(object, type, reason, message, fieldPath) {
      const { name = '', namespace = '', uid = '', resourceVersion = '' } = object.metadata;
      const now = timestamp();
      const event: Event = {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: {
          name: `${name}.${nextNs().toString(16)}`,
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
      const correlated = correlator.correlate(event);
      if (correlated === undefined) return;
      queue = queue
        .then(() => write(correlated))
        .catch((error: unknown) =>
          log?.debug('An event was not written', { reason, error: String(error) }),
        );
    },
    flush: () => queue,
  };
}
