import { ageOf } from '../../../machinery/duration.ts';
import type { Column, ResourceDescriptor } from '../../../machinery/resource.ts';
import { allVerbs, nameColumn } from './columns.ts';
import { validateEvent } from './event-rules.ts';
import { EventSchema, type Event } from './event-schema.ts';

export type { Event } from './event-schema.ts';

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
  validate: validateEvent,
  selectableFields: eventFields,
  columns: eventColumns,
};
