import { expect, test, vi } from 'vitest';
import { createLoop } from './loop.ts';

/** A loop whose runs end when the test says so. */
function loopByHand() {
  const ends: (() => void)[] = [];
  let runs = 0;
  const loop = createLoop(() => {
    runs += 1;
    return new Promise(resolve => ends.push(resolve));
  });
  return { loop, runs: () => runs, endRun: () => ends.shift()?.() };
}

test('wakes during a run are one more run, after it', async () => {
  const { loop, runs, endRun } = loopByHand();
  loop.wake();
  loop.wake();
  loop.wake();
  expect(runs()).toBe(1);
  endRun();
  await vi.waitFor(() => expect(runs()).toBe(2));
  endRun();
  await loop.close();
  expect(runs()).toBe(2);
});

test('of two delays the shorter counts, and a run forgets them', () => {
  vi.useFakeTimers();
  try {
    const { loop, runs } = loopByHand();
    loop.wakeIn(5000);
    loop.wakeIn(1000);
    loop.wakeIn(3000);
    vi.advanceTimersByTime(999);
    expect(runs()).toBe(0);
    vi.advanceTimersByTime(1);
    expect(runs()).toBe(1);
    vi.advanceTimersByTime(60_000);
    expect(runs()).toBe(1);
  } finally {
    vi.useRealTimers();
  }
});

test('closed, it waits for the run that is on and begins no other', async () => {
  const { loop, runs, endRun } = loopByHand();
  loop.wake();
  loop.wake();
  const closed = loop.close();
  let done = false;
  void closed.then(() => (done = true));
  await Promise.resolve();
  expect(done).toBe(false);
  endRun();
  await closed;
  loop.wake();
  loop.wakeIn(0);
  expect(runs()).toBe(1);
});

test('a clock that is set does not move a delay', () => {
  vi.useFakeTimers();
  try {
    const { loop, runs } = loopByHand();
    loop.wakeIn(60_000);
    vi.setSystemTime(Date.now() + 48 * 3600_000);
    loop.wakeIn(1000);
    vi.advanceTimersByTime(1000);
    expect(runs()).toBe(1);
  } finally {
    vi.useRealTimers();
  }
});
