import { describe, expect, test, vi } from 'vitest';
import { createBackoff } from './backoff.ts';
import { goDuration, humanDuration } from './duration.ts';
import { generateName, randomSuffix } from './names.ts';
import { parseQuantity, quantityError, quantityMilli, quantityUnits } from './quantity.ts';
import {
  configMapKey,
  dns1123Label,
  dns1123Subdomain,
  envVarNameRelaxed,
  envVarNameStrict,
  qualifiedName,
} from './validation/names.ts';
import { createWorkQueue } from './work-queue.ts';

test.each([
  [5_000, '5s'],
  [119_000, '119s'],
  [125_000, '2m5s'],
  [600_000, '10m'],
  [3 * 3600_000 + 5 * 60_000, '3h5m'],
  [9 * 3600_000, '9h'],
  [50 * 3600_000, '2d2h'],
  [10 * 24 * 3600_000, '10d'],
  [800 * 24 * 3600_000, '2y70d'],
  [-5_000, '<invalid>'],
])('humanDuration(%i) is %s', (ms, text) => {
  expect(humanDuration(ms)).toBe(text);
});

test.each([
  [0, '0s'],
  [250, '250ms'],
  [1500, '1.5s'],
  [90_000, '1m30s'],
  [3_600_000, '1h0m0s'],
])('goDuration(%d) is %s', (ms, text) => {
  expect(goDuration(ms)).toBe(text);
});

describe('quantities', () => {
  test.each([
    ['1', 1],
    ['64Mi', 67_108_864],
    ['1k', 1000],
    ['1.5Gi', 1_610_612_736],
    ['100m', 1],
    ['2e3', 2000],
    [512, 512],
  ])('quantityUnits(%j) is %i', (text, units) => {
    expect(quantityUnits(text)).toBe(units);
  });
  test.each([
    ['500m', 500],
    ['2', 2000],
    ['0.1', 100],
  ])('quantityMilli(%j) is %i', (text, milli) => {
    expect(quantityMilli(text)).toBe(milli);
  });
  const format =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
  const suffix = "unable to parse quantity's suffix";
  test.each([
    ['', format],
    ['x', format],
    ['1Zi', format],
    ['1 Mi', format],
    ['--1', format],
    ['.', format],
    ['1.2.3', format],
    ['1kk', suffix],
    ['1MiB', format],
    ['1e99999999999999999999', suffix],
    ['1e-99999999999999999999', suffix],
    [Infinity, format],
    [' 1.5Gi ', undefined],
    ['1e99999999', undefined],
    ['1E', undefined],
    [1e21, undefined],
  ])('quantityError(%j) is %j', (text, error) => {
    expect(quantityError(text)).toBe(error);
  });

  const max = 9_223_372_036_854_775_807n * 1_000_000_000n;
  test.each([
    ['1e99999999', max],
    ['-1E999999999', -max],
    ['1e-999999999', 1n],
    ['0e999999999', 0n],
    ['9223372036854775807', max],
    ['9223372036854775808', max],
    ['9223372036854775806', max - 1_000_000_000n],
    ['8Ei', max],
    ['7.5Ei', 15n * 2n ** 59n * 1_000_000_000n],
    ['9'.repeat(1_000_000), max],
    [`0.${'0'.repeat(1_000_000)}1`, 1n],
    [`1.${'0'.repeat(1_000_000)}1`, 1_000_000_001n],
    [`0.${'0'.repeat(1_000_000)}1e1000001`, 1_000_000_000n],
    ['0.0000000001Ki', 103n],
  ])('parseQuantity(%.30s) is within bounds and rounded up', (text, nano) => {
    expect(parseQuantity(text)).toBe(nano);
  });
});

describe('names', () => {
  test.each([
    [dns1123Subdomain, 'my.name-1', true],
    [dns1123Subdomain, 'My', false],
    [dns1123Subdomain, 'a..b', false],
    [dns1123Subdomain, 'x'.repeat(254), false],
    [dns1123Label, 'a.b', false],
    [dns1123Label, 'x'.repeat(63), true],
    [qualifiedName, 'example.com/Name_1', true],
    [qualifiedName, 'a/b/c', false],
    [qualifiedName, '/x', false],
    [configMapKey, 'KEY_name.1-x', true],
    [configMapKey, '.hidden', true],
    [configMapKey, '..twice', false],
    [configMapKey, '', false],
    [envVarNameStrict, 'MY-ENV.x', true],
    [envVarNameStrict, '1bad', false],
    [envVarNameRelaxed, '1 #@!', true],
    [envVarNameRelaxed, 'a=b', false],
    [envVarNameRelaxed, 'ä', false],
  ])('%o of %j is good: %s', (rule, text, good) => {
    expect(rule(text).length === 0).toBe(good);
  });

  test('generateName() stays within 63 characters', () => {
    expect(generateName('x'.repeat(80), randomSuffix())).toMatch(/^x{58}[b-z2-9]{5}$/);
  });
});

test('createBackoff() does not wait for a clock that was set back', () => {
  vi.useFakeTimers();
  try {
    const backoff = createBackoff({ initialMs: 1000, maxMs: 30_000 });
    backoff.next('a');
    vi.setSystemTime(Date.now() - 48 * 3600_000);
    expect(backoff.remaining('a')).toBe(1000);
    vi.advanceTimersByTime(1000);
    expect(backoff.remaining('a')).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('createBackoff() doubles to its maximum, and starts anew after a quiet while', () => {
  let now = 0;
  const backoff = createBackoff({ initialMs: 10, maxMs: 30, now: () => now });
  expect([backoff.next('k'), backoff.next('k'), backoff.next('k')]).toEqual([10, 20, 30]);
  now += 12;
  expect(backoff.remaining('k')).toBe(18);
  now += 1000;
  expect([backoff.remaining('k'), backoff.next('k')]).toEqual([0, 10]);
});

describe('createWorkQueue()', () => {
  test('works on a key once at a time, and again when it was asked meanwhile', async () => {
    const runs: string[] = [];
    let release = (): void => undefined;
    let atOnce = 0;
    const second = new Promise<void>(done => {
      const queue = createWorkQueue({
        async work(key) {
          atOnce += 1;
          expect(atOnce).toBe(1);
          runs.push(key);
          if (runs.length === 1) await new Promise<void>(resolve => (release = resolve));
          else done();
          atOnce -= 1;
        },
      });
      queue.add('k');
      queue.add('k');
      queue.add('k');
    });
    release();
    await second;
    expect(runs).toEqual(['k', 'k']);
  });

  test('tries again after a failure, and tells it', async () => {
    const errors: string[] = [];
    let runs = 0;
    await new Promise<void>(done => {
      const queue = createWorkQueue({
        work: () => {
          runs += 1;
          if (runs === 1) return Promise.reject(new Error('first'));
          done();
          return Promise.resolve();
        },
        onError: (key, error) => errors.push(`${key}: ${(error as Error).message}`),
        initialBackoffMs: 1,
      });
      queue.add('k');
    });
    expect(errors).toEqual(['k: first']);
  });
});
