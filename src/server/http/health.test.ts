import { describe, expect, test } from 'vitest';
import { createHealth, type HealthQuery } from './health.ts';

const quiet: HealthQuery = { verbose: false, exclude: [] };
const verbose: HealthQuery = { verbose: true, exclude: [] };
const working = createHealth(() => undefined);
const full = createHealth(() => 'no space left on device');

describe('health endpoints', () => {
  test.each(['/healthz', '/livez', '/readyz', '/healthz/ping', '/livez/log', '/readyz/etcd'])(
    '%s is ok while all works',
    path => {
      expect(working.report(path, quiet)).toEqual({ code: 200, text: 'ok' });
    },
  );

  test('each check is told when that is asked for', () => {
    expect(working.report('/readyz', verbose)?.text).toBe(
      '[+]ping ok\n[+]log ok\n[+]etcd ok\nreadyz check passed\n',
    );
  });

  test.each(['/healthz', '/readyz', '/readyz/etcd'])('%s says why the store fails', path => {
    const report = full.report(path, quiet);
    expect(report?.code).toBe(500);
    expect(report?.text).toContain('[-]etcd failed: no space left on device\n');
    expect(report?.text).toContain(`${path.slice(1)} check failed\n`);
  });

  test.each(['/livez', '/livez/etcd', '/readyz/ping'])('%s does not ask the store', path => {
    expect(full.report(path, quiet)).toEqual({ code: 200, text: 'ok' });
  });

  test('a check that is excluded is not made, and one that does not exist cannot be excluded', () => {
    expect(full.report('/readyz', { verbose: true, exclude: ['etcd', 'nonsense'] })).toEqual({
      code: 200,
      text: '[+]ping ok\n[+]log ok\n[+]etcd excluded: ok\nwarn: some health checks cannot be excluded: no matches for "nonsense"\nreadyz check passed\n',
    });
  });

  test.each(['/healthz/nonsense', '/readyz/ping/more', '/health', '/constructor'])(
    '%s is no health endpoint',
    path => {
      expect(working.report(path, quiet)).toBeUndefined();
    },
  );
});
