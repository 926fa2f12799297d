import { expect, test } from 'vitest';
import { createPace } from './pace.ts';

test('createPace() gives others a turn when a slice is used up, and not before', async () => {
  const pace = createPace(5);
  const done: string[] = [];
  const spend = (ms: number): void => {
    for (const until = performance.now() + ms; performance.now() < until;);
  };
  const others = new Promise<void>(resolve =>
    setImmediate(() => {
      done.push('others');
      resolve();
    }),
  );
  await Promise.all([
    others,
    ...['one', 'two', 'three', 'four'].map(async name => {
      await pace.ready();
      pace.run(() => spend(name === 'two' ? 6 : 0));
      done.push(name);
    }),
  ]);
  expect(done.indexOf('two')).toBe(1);
  expect(done.indexOf('others')).toBeGreaterThan(1);
  expect(done).toHaveLength(5);
});
