import { expect, test, vi } from 'vitest';
import { exitNoted } from './exit-noted.ts';

// A real containerd that is slow to note an end cannot be had on demand.
vi.mock('node:timers/promises', () => ({
  setTimeout: (ms: number) => {
    vi.advanceTimersByTime(ms);
    return Promise.resolve();
  },
}));

test.each([
  ['10 s after it', 10_000, 10_500],
  ['never', Infinity, 61_000],
])(
  'an end that is noted %s is waited for, within bounds',
  async (_when, notedAfterMs, withinMs) => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const endedAt = performance.now();
      const state = () =>
        performance.now() - endedAt < notedAfterMs ? 'CONTAINER_RUNNING' : 'CONTAINER_EXITED';
      await exitNoted(
        {
          containerStatus: async () => ({ state: state() }) as never,
          podSandboxStatus: () => Promise.reject(new Error('it is no sandbox')),
        },
        'c',
      );
      const waitedMs = performance.now() - endedAt;
      expect(waitedMs).toBeGreaterThanOrEqual(Math.min(notedAfterMs, 60_000));
      expect(waitedMs).toBeLessThanOrEqual(withinMs);
    } finally {
      vi.useRealTimers();
    }
  },
);
