import { expect, test, vi } from 'vitest';
import { createWorkQueue } from './work-queue.ts';

test('of many keys only a few are worked on at a time, and all are in the end', async () => {
  let running = 0;
  let most = 0;
  const done = new Set<string>();
  const queue = createWorkQueue({
    async work(key) {
      running += 1;
      most = Math.max(most, running);
      await new Promise(resolve => setImmediate(resolve));
      running -= 1;
      done.add(key);
    },
  });
  for (let i = 0; i < 1000; i += 1) queue.add(`key-${i}`);
  await vi.waitFor(() => expect(done.size).toBe(1000));
  expect(most).toBe(8);
});

test('a key that is added many times before it is worked on is worked on once', async () => {
  const worked: string[] = [];
  const queue = createWorkQueue({
    concurrency: 1,
    work(key) {
      worked.push(key);
      return Promise.resolve();
    },
  });
  for (let i = 0; i < 10; i += 1) {
    queue.add('a');
    queue.add('b');
  }
  await vi.waitFor(() => expect(worked).toContain('b'));
  // The first `a` was already running when the others were added.
  expect(worked.filter(key => key === 'b')).toHaveLength(1);
});

test('a key that fails waits longer each time, whatever else adds it, and does not hold up other keys', async () => {
  vi.useFakeTimers();
  try {
    let tries = 0;
    const worked: string[] = [];
    const queue = createWorkQueue({
      work(key) {
        worked.push(key);
        if (key !== 'bad') return Promise.resolve();
        tries += 1;
        return Promise.reject(new Error('no'));
      },
      initialBackoffMs: 100,
    });
    queue.add('bad');
    await vi.advanceTimersByTimeAsync(0);
    expect(tries).toBe(1);
    // Changes of the object do not cut its back-off short.
    for (let i = 0; i < 50; i += 1) queue.add('bad');
    queue.add('good');
    await vi.advanceTimersByTimeAsync(99);
    expect(tries).toBe(1);
    expect(worked).toContain('good');
    await vi.advanceTimersByTimeAsync(1);
    expect(tries).toBe(2);
    await vi.advanceTimersByTimeAsync(200);
    expect(tries).toBe(3);
    await queue.close();
  } finally {
    vi.useRealTimers();
  }
});
