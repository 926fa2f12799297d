import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createProber } from './prober.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** How often a container is probed within a time after it was found running. */
async function probesWithin(
  ms: number,
  { initialDelaySeconds, startedAtMs }: { initialDelaySeconds: number; startedAtMs: number },
): Promise<number> {
  let probes = 0;
  const runtime = {
    execSync() {
      probes += 1;
      return Promise.resolve({ exitCode: 0, stdout: Buffer.of(), stderr: Buffer.of() });
    },
  };
  const prober = createProber({
    runtime,
    onChange: () => undefined,
    onEvent: () => undefined,
  });
  prober.watch({
    container: {
      name: 'c',
      image: 'busybox',
      livenessProbe: { exec: { command: ['true'] }, initialDelaySeconds, periodSeconds: 1000 },
    },
    containerId: 'id',
    startedAtMs,
    podIp: '',
    before: undefined,
  });
  await vi.advanceTimersByTimeAsync(ms);
  prober.close();
  return probes;
}

test('a probe begins when its delay is over', async () => {
  const startedAtMs = Date.now() - 10_000;
  expect(await probesWithin(19_000, { initialDelaySeconds: 30, startedAtMs })).toBe(0);
  expect(
    await probesWithin(20_000, { initialDelaySeconds: 30, startedAtMs: Date.now() - 10_000 }),
  ).toBe(1);
});

test('a delay that is longer than a timer can count is no delay of nothing', async () => {
  const initialDelaySeconds = 2 ** 31 - 1;
  expect(await probesWithin(60_000, { initialDelaySeconds, startedAtMs: Date.now() })).toBe(0);
});

test('a clock that was set back since the start does not put the first probe off for days', async () => {
  const startedAtMs = Date.now() + 48 * 3600_000;
  expect(await probesWithin(30_000, { initialDelaySeconds: 30, startedAtMs })).toBe(1);
});

test('a prober that is closed begins with nothing any more', () => {
  const prober = createProber({
    runtime: { execSync: () => Promise.reject(new Error('no command is run')) },
    onChange: () => undefined,
    onEvent: () => undefined,
  });
  const container = { name: 'c', image: 'i', livenessProbe: { exec: { command: ['true'] } } };
  const probed = { container, startedAtMs: 0, podIp: '', before: undefined };
  prober.watch({ ...probed, containerId: 'before' });
  prober.close();
  prober.watch({ ...probed, containerId: 'after' });
  expect(vi.getTimerCount()).toBe(0);
});

test('a warning is reported as such, and counts as a success', async () => {
  const redirect = createServer((_request, response) =>
    response.writeHead(302, { location: 'http://elsewhere.example/' }).end('moved'),
  );
  await new Promise<void>(resolve => redirect.listen(0, '127.0.0.1', resolve));
  const { port } = redirect.address() as AddressInfo;
  vi.useRealTimers();
  const events: string[] = [];
  const ready = new Promise<void>(resolve => {
    const container = { name: 'c', image: 'i', readinessProbe: { httpGet: { port, path: '/' } } };
    const prober = createProber({
      runtime: { execSync: () => Promise.reject(new Error('no command is run')) },
      onChange() {
        expect(prober.isReady(container, 'id')).toBe(true);
        prober.close();
        resolve();
      },
      onEvent: (name, reason, message) => void events.push(`${name} ${reason}: ${message}`),
    });
    const startedAtMs = Date.now();
    const probed = { container, containerId: 'id', startedAtMs, podIp: '127.0.0.1' };
    prober.watch({ ...probed, before: undefined });
  });
  await ready;
  expect(events).toEqual([
    'c ProbeWarning: Readiness probe warning: Probe terminated redirects, Response body: moved',
  ]);
  redirect.close();
});
