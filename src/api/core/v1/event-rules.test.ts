import { describe, expect, test } from 'vitest';
import { eventsEventResource, type EventsEvent } from '../../events.k8s.io/v1/event.ts';
import { eventResource, type Event } from './event.ts';

const old: Event = {
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: 'e', namespace: 'team' },
  involvedObject: { kind: 'Pod', name: 'p', namespace: 'team' },
};
const recent: Event = {
  ...old,
  eventTime: '2026-01-01T00:00:00.000000Z',
  reportingComponent: 'example.com/controller',
  reportingInstance: 'controller-0',
  action: 'Starting',
  reason: 'Started',
};
const newest: EventsEvent = {
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  metadata: old.metadata,
  eventTime: '2026-01-01T00:00:00.000000Z',
  regarding: old.involvedObject,
  reportingController: 'example.com/controller',
  reportingInstance: 'controller-0',
  action: 'Starting',
  reason: 'Started',
  type: 'Normal',
};

const errorsOf = (errors: readonly { field: string; message: string }[] | undefined): string[] =>
  (errors ?? []).map(({ field, message }) => `${field}: ${message}`);

describe('an event of v1', () => {
  const validate = (changes: object, from = recent) =>
    errorsOf(eventResource.validate?.({ ...from, ...changes }));

  test('without an eventTime may be as long as a body, as in Kubernetes', () => {
    expect(validate({ message: 'x'.repeat(100_000) }, old)).toEqual([]);
  });
  test('has to be in the namespace of what it is about', () => {
    expect(validate({ metadata: { namespace: 'other' } }, old)).toEqual([
      'involvedObject.namespace: Invalid value: "team": does not match event.namespace',
    ]);
    expect(validate({ involvedObject: {} }, old)).toHaveLength(1);
    expect(validate({ involvedObject: {}, metadata: { namespace: 'default' } }, old)).toEqual([]);
  });
  test('with an eventTime is complete, and its texts are bounded', () => {
    expect(validate({})).toEqual([]);
    expect(validate({ message: 'x'.repeat(1024), reason: 'x'.repeat(128) })).toEqual([]);
    expect(
      validate({
        message: 'x'.repeat(1025),
        reason: 'x'.repeat(129),
        action: '',
        reportingInstance: 'x'.repeat(129),
        reportingComponent: '',
      }),
    ).toEqual([
      'reportingController: Required value',
      'reportingController: Invalid value: "": name part must be non-empty',
      expect.stringMatching(/^reportingController: Invalid value: "": name part must consist of/),
      'reportingInstance: Invalid value: "": can have at most 128 characters',
      'action: Required value',
      'reason: Invalid value: "": can have at most 128 characters',
      'message: Invalid value: "": can have at most 1024 characters',
    ]);
  });
});

describe('an event of events.k8s.io/v1', () => {
  const create = (changes: object) => {
    const event = { ...newest, ...changes } as EventsEvent;
    return errorsOf([
      ...(eventsEventResource.validate?.(event) ?? []),
      ...(eventsEventResource.validateCreate?.(event) ?? []),
    ]);
  };
  const update = (changes: object) =>
    errorsOf(eventsEventResource.update?.validateUpdate({ ...newest, ...changes }, newest));

  test('needs a time and a type, and none of the deprecated fields', () => {
    expect(create({})).toEqual([]);
    expect(create({ eventTime: null, type: 'Odd', deprecatedCount: 3 })).toEqual([
      'eventTime: Required value',
      'type: Invalid value: "": has invalid value: Odd',
      'count: Invalid value: "": needs to be unset',
    ]);
    expect(create({ note: 'x'.repeat(1025) })).toEqual([
      'message: Invalid value: "": can have at most 1024 characters',
    ]);
    expect(create({ series: { count: 1 } })).toEqual([
      'series.count: Invalid value: "": should be at least 2',
      'series.lastObservedTime: Required value',
    ]);
  });
  test('changes in its series only', () => {
    const series = { count: 2, lastObservedTime: '2026-01-01T00:00:01.000000Z' };
    expect(update({ series, note: '', related: null })).toEqual([]);
    expect(update({ note: 'other', regarding: { kind: 'Pod', name: 'q' } })).toEqual([
      'involvedObject: Invalid value: {"kind":"Pod","name":"q"}: field is immutable',
      'message: Invalid value: "other": field is immutable',
    ]);
  });
});
