import { kindSchema } from '../../../machinery/meta.ts';
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
