import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createPace } from './pace.ts';

const spend = (ms: number): void => {
  for (const until = performance.now() + ms; performance.now() < until;);
};

test('createPace() does pieces in order, and gives others a turn when a slice is used up', async () => {
  const pace = createPace(5);
  const done: (string | number)[] = [];
  setImmediate(() => done.push('others'));
  await Promise.all(
    [0, 0, 6, 0, 0].map((ms, i) =>
      pace.run(async () => {
        // As content that is collected from a cache.
        await Promise.resolve();
        spend(ms);
        done.push(i);
      }),
    ),
  );
  expect(done).toEqual([0, 1, 2, 'others', 3, 4]);
});

test('createPace() does not wait for a piece that waits for something outside', async () => {
  const pace = createPace();
  let answer: (() => void) | undefined;
  const slow = pace.run(() => new Promise<void>(resolve => (answer = resolve)));
  await pace.run(() => Promise.resolve());
  await turn();
  answer?.();
  await slow;
  await expect(pace.run(() => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  await pace.run(() => Promise.resolve());
});
