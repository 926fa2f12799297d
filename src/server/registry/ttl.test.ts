import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Logger } from '../../machinery/log.ts';
import type { ObjectStore } from './object-store.ts';
import { startTtl } from './ttl.ts';

const hourMs = 3600_000;
const nothing = (): void => undefined;
const log: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime('2026-06-01T12:00:00Z');
});
afterEach(() => {
  vi.useRealTimers();
});

/** Objects by name and age; those of the list are there at the start. */
function setUp(agesMs: Readonly<Record<string, number>>) {
  const deleted: string[] = [];
  const objectOf = (name: string, ageMs: number) => ({
    namespace: 'default',
    name,
    resourceVersion: 1n,
    object: () => ({
      metadata: { name, creationTimestamp: new Date(Date.now() - ageMs).toISOString() },
    }),
  });
  type Handlers = {
    onEvent(type: string, object: ReturnType<typeof objectOf>): void;
    onBookmark(): void;
  };
  let handlers: Handlers | undefined;
  const objects = {
    watch(_query: unknown, given: Handlers) {
      handlers = given;
      for (const [name, age] of Object.entries(agesMs)) given.onEvent('ADDED', objectOf(name, age));
      given.onBookmark();
      return Promise.resolve();
    },
    delete(_namespace: string, name: string) {
      deleted.push(name);
      return Promise.resolve();
    },
  };
  const ttl = startTtl(objects as unknown as ObjectStore, hourMs / 1000, log);
  /** @returns whether anything still holds the object that was told of */
  const add = (name: string): { isHeld(): boolean } => {
    const object = objectOf(name, 0);
    const held = new WeakRef(object);
    handlers?.onEvent('ADDED', object);
    return { isHeld: () => held.deref() !== undefined };
  };
  return { deleted, add, close: () => ttl.close() };
}

test('what is there ends an hour after it was written, what comes an hour after it came', () => {
  const { deleted, add, close } = setUp({ older: 50 * 60_000, younger: 20 * 60_000 });
  add('new');
  vi.advanceTimersByTime(10 * 60_000);
  expect(deleted).toEqual(['older']);
  vi.advanceTimersByTime(30 * 60_000);
  expect(deleted).toEqual(['older', 'younger']);
  vi.advanceTimersByTime(20 * 60_000);
  expect(deleted).toEqual(['older', 'younger', 'new']);
  close();
});

test.each([
  { what: 'set back by two days', days: -2 },
  { what: 'set back to 1970', days: -20_605 },
  { what: 'set forward by a year', days: 365 },
])(
  'a clock that is $what neither keeps objects nor ends them, nor makes the timer spin',
  ({ days }) => {
    const { deleted, add, close } = setUp({});
    add('new');
    vi.setSystemTime(Date.now() + days * 24 * hourMs);
    let timers = 0;
    while (deleted.length === 0 && timers < 10) {
      vi.advanceTimersToNextTimer();
      timers += 1;
    }
    expect(deleted).toEqual(['new']);
    expect(timers).toBe(1);
    close();
  },
);

test('objects from the future last for an hour from now', () => {
  const { deleted, close } = setUp({ future: -1000 * 24 * hourMs });
  vi.advanceTimersByTime(hourMs - 1);
  expect(deleted).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(deleted).toEqual(['future']);
  close();
});

test('an object that is still to expire is not held in memory', async () => {
  const { deleted, add, close } = setUp({});
  const large = add('large');
  vi.useRealTimers();
  setFlagsFromString('--expose-gc');
  // A WeakRef holds its target until the turn in which it was made is over.
  await new Promise(resolve => setImmediate(resolve));
  (runInNewContext('gc') as () => void)();
  expect(large.isHeld()).toBe(false);
  expect(deleted).toEqual([]);
  close();
});
