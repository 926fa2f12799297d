import { isDeepStrictEqual } from 'node:util';
import { invalid, path, requiredField, type FieldError } from '../../../machinery/field-error.ts';
import { qualifiedName } from '../../../machinery/validation/names.ts';
import type { Event } from './event-schema.ts';

const maxLengths = { reportingInstance: 128, action: 128, reason: 128, message: 1024 } as const;

/** Kubernetes' legacyValidateEvent: an event with an eventTime is a new one, whose texts are bounded. */
export function validateEvent(event: Event): FieldError[] {
  const isNew = Boolean(event.eventTime);
  const errors = validateNamespace(event, isNew);
  if (!isNew) return errors;
  const controller = event.reportingComponent ?? '';
  const at = path('reportingController');
  if (controller === '') errors.push(requiredField(at));
  errors.push(...qualifiedName(controller).map(each => invalid(at, controller, each)));
  for (const name of ['reportingInstance', 'action', 'reason', 'message'] as const) {
    const text = event[name] ?? '';
    const max = maxLengths[name];
    if (text === '' && name !== 'message') errors.push(requiredField(path(name)));
    if (Buffer.byteLength(text) > max)
      errors.push(invalid(path(name), '', `can have at most ${max} characters`));
  }
  return errors;
}

function validateNamespace(event: Event, isNew: boolean): FieldError[] {
  const involved = event.involvedObject?.namespace ?? '';
  const own = event.metadata.namespace ?? '';
  const matches = isNew
    ? involved !== '' || own === 'default' || own === 'kube-system'
    : involved === own || (involved === '' && own === 'default');
  if (matches) return [];
  return [invalid(path('involvedObject.namespace'), involved, 'does not match event.namespace')];
}

/** What the API group events.k8s.io asks of new events besides. */
export function validateEventsV1Create(event: Event): FieldError[] {
  const errors = validateSeries(event);
  if (!event.eventTime) errors.push(requiredField(path('eventTime')));
  if (event.type !== 'Normal' && event.type !== 'Warning')
    errors.push(invalid(path('type'), '', `has invalid value: ${event.type ?? ''}`));
  const { source } = event;
  const deprecated = {
    firstTimestamp: Boolean(event.firstTimestamp),
    lastTimestamp: Boolean(event.lastTimestamp),
    count: Boolean(event.count),
    source: Boolean(source?.component) || Boolean(source?.host),
  };
  for (const [name, isSet] of Object.entries(deprecated))
    if (isSet) errors.push(invalid(path(name), '', 'needs to be unset'));
  return errors;
}

const immutable = [
  'involvedObject',
  'reason',
  'message',
  'source',
  'firstTimestamp',
  'lastTimestamp',
  'count',
  'type',
  'eventTime',
  'action',
  'related',
  'reportingComponent',
  'reportingInstance',
] as const satisfies readonly (keyof Event)[];

/** And of a written one: nothing but its series and metadata may change. */
export function validateEventsV1Update(next: Event, old: Event): FieldError[] {
  const errors = isSame(next.series, old.series) ? [] : validateSeries(next);
  for (const name of immutable) {
    if (isSame(next[name], old[name])) continue;
    const at = path(name === 'reportingComponent' ? 'reportingController' : name);
    errors.push(invalid(at, next[name] ?? '', 'field is immutable'));
  }
  return errors;
}

function validateSeries({ series }: Event): FieldError[] {
  if (!series) return [];
  return [
    ...((series.count ?? 0) < 2 ? [invalid(path('series.count'), '', 'should be at least 2')] : []),
    ...(series.lastObservedTime ? [] : [requiredField(path('series.lastObservedTime'))]),
  ];
}

/** Absent and empty are the same, as in Go. */
const isSame = (a: unknown, b: unknown): boolean => isDeepStrictEqual(plain(a), plain(b));

const plain = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value || undefined;
  const members = Object.entries(value).flatMap(([name, member]) => {
    const kept = plain(member);
    return kept === undefined ? [] : [[name, kept] as const];
  });
  return members.length === 0 ? undefined : Object.fromEntries(members);
};
