import { kindSchema } from '../../../machinery/meta.ts';
import type { ResourceDescriptor } from '../../../machinery/resource.ts';
import {
  int32,
  microTime,
  object,
  optional,
  required,
  string,
  time,
  type Infer,
} from '../../../machinery/schema.ts';
import { allVerbs } from '../../core/v1/columns.ts';
import { eventColumns, eventFields, eventTtlSeconds, type Event } from '../../core/v1/event.ts';
import {
  validateEvent,
  validateEventsV1Create,
  validateEventsV1Update,
} from '../../core/v1/event-rules.ts';
import { ObjectReferenceSchema } from '../../core/v1/references.ts';

const SourceSchema = object('io.k8s.api.core.v1.EventSource', 'Who tells an event.', {
  component: optional(1, string(), 'The program, such as kubelet.'),
  host: optional(2, string(), 'The node that it runs on.'),
});

export const EventsEventSchema = kindSchema(
  'io.k8s.api.events.v1.Event',
  'Event tells of something that happened to an object: the newer form of the same events.',
  {
    eventTime: optional(2, microTime(), 'When it was first seen.'),
    series: optional(
      3,
      object('io.k8s.api.events.v1.EventSeries', 'How often an event was seen.', {
        count: required(1, int32(), 'How many times.'),
        lastObservedTime: required(2, microTime(), 'When last.'),
      }),
      'How often it was seen.',
    ),
    reportingController: optional(4, string(), 'Who tells it.'),
    reportingInstance: optional(5, string(), 'Which one of them.'),
    action: optional(6, string(), 'What was done, or failed.'),
    reason: optional(7, string(), 'What happened, in a word for programs.'),
    regarding: optional(8, ObjectReferenceSchema, 'What it happened to.'),
    related: optional(9, ObjectReferenceSchema, 'Another object that took part.'),
    note: optional(10, string(), 'What happened, in a sentence for people.'),
    type: optional(11, string(), 'Normal or Warning.'),
    deprecatedSource: optional(12, SourceSchema, 'source of the older form.'),
    deprecatedFirstTimestamp: optional(13, time(), 'firstTimestamp of the older form.'),
    deprecatedLastTimestamp: optional(14, time(), 'lastTimestamp of the older form.'),
    deprecatedCount: optional(15, int32(), 'count of the older form.'),
  },
);
export type EventsEvent = Infer<typeof EventsEventSchema>;

/** The names that differ between the two forms. */
const renamed = [
  ['regarding', 'involvedObject'],
  ['note', 'message'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
] as const;

export function toCoreEvent(event: EventsEvent): Event {
  const core: Record<string, unknown> = { ...event, apiVersion: 'v1', kind: 'Event' };
  for (const [here, there] of renamed) {
    if (core[here] !== undefined) core[there] = core[here];
    delete core[here];
  }
  core['involvedObject'] ??= {};
  return core as unknown as Event;
}

export function fromCoreEvent(event: Event): EventsEvent {
  const newer: Record<string, unknown> = {
    ...event,
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
  };
  for (const [here, there] of renamed) {
    if (newer[there] !== undefined) newer[here] = newer[there];
    delete newer[there];
  }
  return newer as unknown as EventsEvent;
}

const asCore = (event: EventsEvent): Event =>
  event.apiVersion === 'v1' ? (event as unknown as Event) : toCoreEvent(event);

export const eventsEventResource: ResourceDescriptor<EventsEvent> = {
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  shortNames: ['ev'],
  namespaced: true,
  stored: true,
  verbs: allVerbs,
  schema: EventsEventSchema,
  ttlSeconds: eventTtlSeconds,
  allowCreateOnUpdate: true,
  validate: event => validateEvent(asCore(event)),
  validateCreate: event => validateEventsV1Create(asCore(event)),
  update: {
    prepareForUpdate: () => undefined,
    validateUpdate: (next, old) => validateEventsV1Update(asCore(next), asCore(old)),
  },
  storedAs: {
    group: '',
    plural: 'events',
    toStored: event => toCoreEvent(event),
    fromStored: event => fromCoreEvent(event as Event),
  },
  selectableFields: event =>
    Object.fromEntries(
      Object.entries(eventFields(asCore(event))).map(([field, value]) => [
        field.replace('involvedObject', 'regarding').replace('Component', 'Controller'),
        value,
      ]),
    ),
  columns: eventColumns.map(column => ({
    ...column,
    cell: (event, now) => column.cell(asCore(event), now),
  })),
};
