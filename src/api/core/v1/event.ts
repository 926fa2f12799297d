import { ageOf } from '../../../machinery/duration.ts';
import { invalid, path } from '../../../machinery/field-error.ts';
import { kindSchema } from '../../../machinery/meta.ts';
import type { Column, ResourceDescriptor } from '../../../machinery/resource.ts';
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
import { allVerbs, nameColumn } from './columns.ts';
import { ObjectReferenceSchema } from './references.ts';

const EventSourceSchema = object('io.k8s.api.core.v1.EventSource', 'Who tells an event.', {
  component: optional(1, string(), 'The program, such as kubelet.'),
  host: optional(2, string(), 'The node that it runs on.'),
});

const EventSeriesSchema = object('io.k8s.api.core.v1.EventSeries', 'How often an event was seen.', {
  count: optional(1, int32(), 'How many times.'),
  lastObservedTime: optional(2, microTime(), 'When last.'),
});

export const EventSchema = kindSchema(
  'io.k8s.api.core.v1.Event',
  'Event tells of something that happened to an object. It is kept for an hour.',
  {
    involvedObject: required(2, ObjectReferenceSchema, 'What it happened to.'),
    reason: optional(3, string(), 'What happened, in a word for programs.'),
    message: optional(4, string(), 'What happened, in a sentence for people.'),
    source: optional(5, EventSourceSchema, 'Who tells it.'),
    firstTimestamp: optional(6, time(), 'When it was first seen.'),
    lastTimestamp: optional(7, time(), 'When it was last seen.'),
    count: optional(8, int32(), 'How many times it was seen.'),
    type: optional(9, string(), 'Normal or Warning.'),
    eventTime: optional(10, microTime(), 'When it was first seen, to the microsecond.'),
    series: optional(11, EventSeriesSchema, 'How often it was seen.'),
    action: optional(12, string(), 'What was done, or failed.'),
    related: optional(13, ObjectReferenceSchema, 'Another object that took part.'),
    reportingComponent: optional(14, string(), 'Who tells it.'),
    reportingInstance: optional(15, string(), 'Which one of them.'),
  },
);
export type Event = Infer<typeof EventSchema>;

const reference = (event: Event): string => {
  const { kind = '', name = '' } = event.involvedObject;
  return `${kind.toLowerCase()}/${name}`;
};

const lastSeen = (event: Event): string | undefined =>
  event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.firstTimestamp;

const column = (
  name: string,
  description: string,
  cell: Column<Event>['cell'],
  priority = 0,
): Column<Event> => ({ name, type: 'string', description, cell, priority });

export const eventColumns: readonly Column<Event>[] = [
  column('Last Seen', 'Time since it was last seen', (event, now) => ageOf(lastSeen(event), now)),
  column('Type', 'Normal or Warning', event => event.type ?? ''),
  column('Reason', 'What happened', event => event.reason ?? ''),
  column('Object', 'What it happened to', reference),
  column('Subobject', 'Which part of it', event => event.involvedObject.fieldPath ?? '', 1),
  column(
    'Source',
    'Who tells it',
    event => {
      const { component = event.reportingComponent ?? '', host } = event.source ?? {};
      return host ? `${component}, ${host}` : component;
    },
    1,
  ),
  column('Message', 'What happened, in a sentence', event => (event.message ?? '').trim()),
  column(
    'First Seen',
    'Time since it was first seen',
    (event, now) => ageOf(event.firstTimestamp ?? event.eventTime, now),
    1,
  ),
  column('Count', 'How often', event => event.series?.count ?? event.count ?? 1, 1),
  { ...nameColumn, priority: 1 },
];

export const eventFields = (event: Event): Record<string, string> => {
  const { kind, namespace, name, uid, apiVersion, resourceVersion, fieldPath } =
    event.involvedObject;
  return {
    'involvedObject.kind': kind ?? '',
    'involvedObject.namespace': namespace ?? '',
    'involvedObject.name': name ?? '',
    'involvedObject.uid': uid ?? '',
    'involvedObject.apiVersion': apiVersion ?? '',
    'involvedObject.resourceVersion': resourceVersion ?? '',
    'involvedObject.fieldPath': fieldPath ?? '',
    reason: event.reason ?? '',
    reportingComponent: event.reportingComponent ?? '',
    source: event.source?.component ?? event.reportingComponent ?? '',
    type: event.type ?? '',
  };
};

/** An hour, as kube-apiserver's --event-ttl. */
export const eventTtlSeconds = 3600;

export const eventResource: ResourceDescriptor<Event> = {
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  shortNames: ['ev'],
  namespaced: true,
  stored: true,
  verbs: allVerbs,
  schema: EventSchema,
  ttlSeconds: eventTtlSeconds,
  allowCreateOnUpdate: true,
  validate(event) {
    const at = path('involvedObject.namespace');
    const involved = event.involvedObject?.namespace ?? '';
    const own = event.metadata.namespace ?? '';
    const matches = involved === own || (involved === '' && own === 'default');
    return matches ? [] : [invalid(at, involved, 'does not match event.namespace')];
  },
  selectableFields: eventFields,
  columns: eventColumns,
};
