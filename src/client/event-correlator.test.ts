import { expect, test } from 'vitest';
import type { Event } from '../api/core/v1/event.ts';
import { createEventCorrelator } from './event-correlator.ts';

let serial = 0;
const eventOf = (message: string, { pod = 'web', reason = 'Failed' } = {}): Event => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: `${pod}.${(serial += 1)}`, namespace: 'default' },
  involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: pod, uid: pod },
  type: 'Warning',
  reason,
  message,
  source: { component: 'kubelet', host: 'n' },
});

function byHand() {
  let ms = 0;
  const { correlate } = createEventCorrelator(() => ms);
  return {
    tell: (...given: Parameters<typeof eventOf>) => correlate(eventOf(...given)),
    wait: (minutes: number) => (ms += minutes * 60_000),
  };
}

test('what is told again is counted onto the first', () => {
  const { tell } = byHand();
  const first = tell('no such secret');
  expect(first?.repeated).toBeUndefined();
  tell('another message');
  const name = first?.event.metadata.name;
  expect(tell('no such secret')?.repeated).toEqual({ name, count: 2 });
  expect(tell('no such secret')?.repeated).toEqual({ name, count: 3 });
});

test('ten that differ in their message alone are combined from then on', () => {
  const { tell, wait } = byHand();
  for (let i = 1; i <= 9; i += 1) expect(tell(`try ${i}`)?.event.message).toBe(`try ${i}`);
  const combined = tell('try 10');
  expect(combined?.event.message).toBe('(combined from similar events): try 10');
  expect(combined?.repeated).toBeUndefined();
  const eleventh = tell('try 11');
  expect(eleventh?.event.message).toBe('(combined from similar events): try 11');
  expect(eleventh?.repeated).toEqual({ name: combined?.event.metadata.name, count: 2 });
  expect(tell('try 11', { reason: 'Other' })?.event.message).toBe('try 11');
  wait(11);
  expect(tell('try 12')?.event.message).toBe('try 12');
});

test('an object tells 25 at once and then one each five minutes; others are not concerned', () => {
  const { tell, wait } = byHand();
  const told = (count: number): number =>
    Array.from({ length: count }, (_, i) => tell('same', { reason: `R${i}` })).filter(Boolean)
      .length;
  expect(told(40)).toBe(25);
  expect(tell('same', { pod: 'other' })).toBeDefined();
  wait(5);
  expect(told(3)).toBe(1);
  wait(5 * 24);
  expect(told(40)).toBe(24);
});

test('of a very long message only its beginning is told, and remembered', () => {
  const { tell } = byHand();
  const long = 'x'.repeat(100_000);
  const first = tell(`${long}1`);
  expect(first?.event.message).toBe(`${'x'.repeat(10_240)}... (cut)`);
  expect(tell(`${long}2`)?.repeated).toEqual({ name: first?.event.metadata.name, count: 2 });
});
