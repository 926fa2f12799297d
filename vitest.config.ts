import { defineConfig } from 'vitest/config';

/** Long walks of kills, which an iptables rule that CNI leaves behind can fail: not of `npm test` yet. */
const life = ['test/e2e/life.test.ts', 'test/e2e/life-runtime.test.ts'];
const endToEnd = {
  globalSetup: ['test/support/global-setup.ts'],
  testTimeout: 120_000,
  hookTimeout: 240_000,
  // One machine, one containerd, one set of iptables rules: files run one after another.
  fileParallelism: false,
};

export default defineConfig({
  test: {
    reporters: ['default', './test/support/count-reporter.ts'],
    projects: [
      { test: { name: 'unit', include: ['src/**/*.test.ts'], testTimeout: 30_000 } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts', 'test/spec/**/*.test.ts'],
          exclude: life,
          ...endToEnd,
        },
      },
      { test: { name: 'life', include: life, ...endToEnd } },
    ],
  },
});
