import { expect, test, vi } from 'vitest';
import { waitForRecordedExit } from './wait-for-recorded-exit.ts';

// A real containerd cannot be made slow on demand.
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
  'an exit that is recorded %s is waited for, within bounds',
  async (_when, recordedAfterMs, withinMs) => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const endedAt = performance.now();
      const state = () =>
        performance.now() - endedAt < recordedAfterMs ? 'CONTAINER_RUNNING' : 'CONTAINER_EXITED';
      await waitForRecordedExit(
        {
          containerStatus: async () => ({ state: state() }) as never,
          podSandboxStatus: () => Promise.reject(new Error('not a sandbox')),
        },
        'c',
      );
      const waitedMs = performance.now() - endedAt;
      expect(waitedMs).toBeGreaterThanOrEqual(Math.min(recordedAfterMs, 60_000));
      expect(waitedMs).toBeLessThanOrEqual(withinMs);
    } finally {
      vi.useRealTimers();
    }
  },
);
