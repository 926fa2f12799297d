import { describe, expect, test } from 'vitest';
import { runtimeConformance } from '../conformance.ts';
import { RuntimeError } from '../runtime-error.ts';
import { createFakeRuntime } from './fake-runtime.ts';

describe('the fake runtime', () => {
  test.each(runtimeConformance)('$name', async ({ run }) => {
    const runtime = createFakeRuntime();
    runtime.setExec(() => ({
      stdout: Buffer.from('out\n'),
      stderr: Buffer.from('err\n'),
      exitCode: 3,
    }));
    await run({
      runtime,
      podUid: 'pod',
      image: 'docker.io/library/busybox:latest',
      command: ['sleep', '3600'],
      exit: (id, exitCode) => Promise.resolve(runtime.exitContainer(id, { exitCode })),
    });
  });

  test('failNext() rejects as many calls as it was asked to', async () => {
    const runtime = createFakeRuntime();
    runtime.failNext('version', new RuntimeError('unavailable', 'connection refused'), 2);
    await expect(runtime.version()).rejects.toThrow('connection refused');
    await expect(runtime.version()).rejects.toThrow('connection refused');
    await expect(runtime.version()).resolves.toMatchObject({ runtimeName: 'fake' });
  });

  test('holdNext() makes a call wait until it is released, or fails it', async () => {
    const runtime = createFakeRuntime();
    const held = runtime.holdNext('version');
    const answer = runtime.version();
    await held.reached;
    held.release();
    await expect(answer).resolves.toMatchObject({ runtimeName: 'fake' });
    const failing = runtime.holdNext('version');
    const failed = runtime.version();
    failing.fail(new Error('no'));
    await expect(failed).rejects.toThrow('no');
    expect(runtime.calls).toHaveLength(2);
  });
});
