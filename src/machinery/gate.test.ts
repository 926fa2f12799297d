import { expect, test } from 'vitest';
import { createGate } from './gate.ts';

test('runs so many at a time, in order, and goes on after a failure', async () => {
  const gate = createGate(2);
  const started: number[] = [];
  const finish: ((failed: boolean) => void)[] = [];
  const results = Array.from({ length: 5 }, (_, i) =>
    gate(
      () =>
        new Promise<number>((resolve, reject) => {
          started.push(i);
          finish[i] = failed => (failed ? reject(new Error(`${i}`)) : resolve(i));
        }),
    ),
  );
  const settled = Promise.allSettled(results);
  expect(started).toEqual([0, 1]);
  finish[1]?.(true);
  await results[1]?.catch(() => undefined);
  await Promise.resolve();
  expect(started).toEqual([0, 1, 2]);
  for (const i of [0, 2, 3, 4]) {
    await new Promise(setImmediate);
    finish[i]?.(false);
  }
  expect((await settled).map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
    'fulfilled',
  ]);
  expect(started).toEqual([0, 1, 2, 3, 4]);
});
