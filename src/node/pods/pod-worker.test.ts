import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { container, startWorker, waitFor } from '../../../test/support/pod-worker-harness.ts';
import { RuntimeError } from '../runtime/runtime-error.ts';
import { createFakeRuntime } from '../runtime/fake/fake-runtime.ts';

const c = container('c');

describe('syncPod', () => {
  test('a pod becomes a sandbox and running containers, and its status says so', async () => {
    const pod = await startWorker({ spec: { containers: [c, container('d')] } });
    await pod.running('c');
    await pod.running('d');
    await waitFor(() =>
      expect(pod.status()).toMatchObject({
        phase: 'Running',
        podIP: '10.88.0.2',
        hostIP: '192.0.2.1',
      }),
    );
    expect(pod.events).toEqual(
      expect.arrayContaining([
        'Normal Created: Created container: c',
        'Normal Started: Started container c',
      ]),
    );
    expect(pod.status().conditions?.find(each => each.type === 'Ready')?.status).toBe('True');
    expect(pod.callsOf('runPodSandbox')).toBe(1);
  });

  test('init containers run one after another, before the others', async () => {
    const spec = { initContainers: [container('one'), container('two')], containers: [c] };
    const pod = await startWorker({ spec });
    const one = await pod.running('one');
    for (const name of ['two', 'c'])
      expect(pod.containerStatus(name)?.state).toEqual({ waiting: { reason: 'PodInitializing' } });
    pod.runtime.exitContainer(one, { exitCode: 0 });
    const two = await pod.running('two');
    await expect(pod.containerId('c')).rejects.toThrow('There is no container c');
    pod.runtime.exitContainer(two, { exitCode: 0 });
    await pod.running('c');
  });

  test('a pod that the node rejects has failed, and nothing of it is made', async () => {
    const rejection = { reason: 'NodePorts', message: 'no free ports' };
    const pod = await startWorker({ spec: { containers: [c] }, rejection });
    await waitFor(() =>
      expect(pod.status()).toMatchObject({
        phase: 'Failed',
        reason: 'NodePorts',
        message: 'Pod was rejected: no free ports',
      }),
    );
    expect(pod.status().containerStatuses).toBeUndefined();
    expect(pod.events).toEqual(['Warning NodePorts: no free ports']);
    expect(pod.callsOf('runPodSandbox')).toBe(0);
  });

  test('a sandbox that cannot be made is reported, and made after the back-off', async () => {
    const runtime = createFakeRuntime();
    runtime.failNext('runPodSandbox', new RuntimeError('unknown', 'no network'));
    const pod = await startWorker({ spec: { containers: [c] }, runtime });
    await waitFor(() =>
      expect(pod.events).toContain(
        'Warning FailedCreatePodSandBox: Failed to create pod sandbox: no network',
      ),
    );
    await pod.running('c');
  });

  test('volumes that cannot be mounted keep the containers waiting, until they can', async () => {
    const runtime = createFakeRuntime();
    const held = runtime.holdNext('listPodSandboxes');
    const pod = await startWorker({ spec: { containers: [c] }, runtime });
    pod.failVolumes('secret "s" not found');
    held.release();
    await waitFor(() =>
      expect(pod.events[0]).toBe(
        'Warning FailedMount: MountVolume.SetUp failed for volume "v" : secret "s" not found',
      ),
    );
    expect(pod.callsOf('runPodSandbox')).toBe(0);
    pod.failVolumes(undefined);
    await pod.running('c');
  });

  test('the times of its conditions do not change, however late the API answers', async () => {
    let clockMs = Date.parse('2026-01-01T00:00:00Z');
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => (clockMs += 1000));
    try {
      const pod = await startWorker({ spec: { containers: [c] } });
      pod.holdUpdates();
      pod.runtime.exitContainer(await pod.running('c'), { exitCode: 0 });
      await waitFor(() => expect(pod.containerStatus('c')?.restartCount).toBe(1));
      const times = (type: string) =>
        new Set(
          pod.statuses
            .flatMap(({ conditions = [] }) => conditions)
            .filter(each => each.type === type && each.status === 'True')
            .map(each => each.lastTransitionTime),
        );
      for (const type of ['PodReadyToStartContainers', 'Initialized', 'PodScheduled'])
        expect(times(type).size).toBe(1);
      expect(new Set(pod.statuses.map(({ startTime }) => startTime)).size).toBe(1);
    } finally {
      clock.mockRestore();
    }
  });

  test('a container that fails is started again', async () => {
    const pod = await startWorker({ spec: { containers: [c] } });
    pod.runtime.exitContainer(await pod.running('c'), { exitCode: 3 });
    await waitFor(() =>
      expect(pod.containerStatus('c')).toMatchObject({
        restartCount: 1,
        state: { running: {} },
        lastState: { terminated: { exitCode: 3, reason: 'Error' } },
      }),
    );
  });

  test('a new image replaces the container at once; of its predecessors only the last is kept', async () => {
    const pod = await startWorker({ spec: { restartPolicy: 'Never', containers: [c] } });
    await pod.running('c');
    for (const attempt of [1, 2, 3]) {
      const image = `docker.io/library/busybox:${attempt}`;
      pod.change(({ spec }) => (spec.containers = [container('c', { image })]));
      await waitFor(() =>
        expect(pod.containerStatus('c')).toMatchObject({
          restartCount: attempt,
          state: { running: {} },
        }),
      );
    }
    await waitFor(async () => {
      const kept = await pod.runtime.listContainers();
      expect(kept.map(({ metadata }) => metadata.attempt)).toEqual([2, 3]);
    });
    expect(pod.status().phase).toBe('Running');
    expect(pod.events).toContain(
      'Normal Killing: Container c definition changed, will be restarted',
    );
  });

  test('a sandbox that died takes the pod along: all begins in a new one', async () => {
    const pod = await startWorker({ spec: { containers: [c] } });
    await pod.running('c');
    const [sandbox] = await pod.runtime.listPodSandboxes();
    pod.runtime.killSandbox(sandbox?.id ?? '');
    pod.worker.wake();
    await waitFor(() => expect(pod.containerStatus('c')?.restartCount).toBe(1));
    expect(pod.status().podIP).toBe('10.88.0.3');
    expect(pod.events.filter(each => each.includes('SandboxChanged'))).toEqual([
      'Normal SandboxChanged: Pod sandbox changed, it will be killed and re-created.',
    ]);
  });

  test('a container that was created but never started is made anew under its number', async () => {
    const runtime = createFakeRuntime();
    runtime.failNext('startContainer', new RuntimeError('unknown', 'context canceled'));
    const pod = await startWorker({ spec: { containers: [c] }, runtime });
    await waitFor(() =>
      expect(pod.containerStatus('c')?.state?.waiting?.reason).toBe('RunContainerError'),
    );
    pod.worker.retryNow();
    await pod.running('c');
    expect(pod.containerStatus('c')?.restartCount).toBe(0);
    expect(await runtime.listContainers()).toHaveLength(1);
  });

  test('a runtime that is away for a while only delays', async () => {
    const runtime = createFakeRuntime();
    runtime.failNext('listPodSandboxes', new RuntimeError('unavailable', 'connection refused'), 2);
    const pod = await startWorker({ spec: { containers: [c] }, runtime });
    await pod.running('c');
    expect(pod.warnings).toHaveLength(2);
    expect(pod.warnings[0]).toMatch(/^Pod sync failed .*connection refused/);
  });

  test('a pod that ran too long has failed', async () => {
    const spec = { activeDeadlineSeconds: 1, containers: [c] };
    const status = { startTime: '2020-01-01T00:00:00Z' };
    const pod = await startWorker({ spec, status });
    await waitFor(() =>
      expect(pod.status()).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' }),
    );
  });
});

describe('probes', () => {
  beforeEach(() => void vi.useFakeTimers({ shouldAdvanceTime: true, advanceTimeDelta: 50 }));
  afterEach(() => void vi.useRealTimers());
  const exec = { command: ['check'] };

  test('a container is ready once its readiness probe says so', async () => {
    const runtime = createFakeRuntime();
    let ready = false;
    runtime.setExec(() => ({
      exitCode: ready ? 0 : 1,
      stdout: Buffer.from('not yet'),
      stderr: Buffer.of(),
    }));
    const readinessProbe = { exec, periodSeconds: 1 };
    const pod = await startWorker({
      spec: { containers: [container('c', { readinessProbe })] },
      runtime,
    });
    await pod.running('c');
    await waitFor(() =>
      expect(pod.events).toContain('Warning Unhealthy: Readiness probe failed: not yet'),
    );
    expect(pod.containerStatus('c')).toMatchObject({ ready: false, started: true });
    ready = true;
    await waitFor(() => expect(pod.containerStatus('c')?.ready).toBe(true));
  });

  test('a container whose liveness probe fails is stopped and started again', async () => {
    const runtime = createFakeRuntime();
    runtime.setExec(() => ({ exitCode: 1, stdout: Buffer.of(), stderr: Buffer.of() }));
    const livenessProbe = {
      exec,
      periodSeconds: 1,
      failureThreshold: 2,
      terminationGracePeriodSeconds: 5,
    };
    const pod = await startWorker({
      spec: { containers: [container('c', { livenessProbe })] },
      runtime,
    });
    await waitFor(() => expect(pod.containerStatus('c')?.restartCount).toBe(1));
    expect(pod.events).toContain(
      'Normal Killing: Container c failed liveness probe, will be restarted',
    );
    expect(runtime.calls.find(each => each.method === 'stopContainer')?.args[1]).toBe(5);
  });

  test('a sidecar whose startup probe fails is restarted too', async () => {
    const runtime = createFakeRuntime();
    runtime.setExec(() => ({ exitCode: 1, stdout: Buffer.of(), stderr: Buffer.of() }));
    const startupProbe = { exec, periodSeconds: 1, failureThreshold: 1 };
    const side = container('side', { restartPolicy: 'Always', startupProbe });
    const pod = await startWorker({ spec: { initContainers: [side], containers: [c] }, runtime });
    await waitFor(() => expect(pod.containerStatus('side')?.restartCount).toBe(1));
    expect(pod.status().phase).toBe('Pending');
  });
});

describe('a pod that ends by itself', () => {
  test('its phase is final, its sandbox and volumes go, its containers stay for their logs', async () => {
    const pod = await startWorker({ spec: { restartPolicy: 'Never', containers: [c] } });
    pod.runtime.exitContainer(await pod.running('c'), { exitCode: 3 });
    await waitFor(() => expect(pod.isMounted()).toBe(false));
    expect(pod.status()).toMatchObject({
      phase: 'Failed',
      containerStatuses: [{ state: { terminated: { exitCode: 3 } } }],
    });
    expect(await pod.runtime.listContainers()).toHaveLength(1);
    expect((await pod.runtime.listPodSandboxes()).map(each => each.state)).toEqual([
      'SANDBOX_NOTREADY',
    ]);
    pod.requestDeletion();
    await pod.worker.gone;
    expect(await pod.runtime.listPodSandboxes()).toEqual([]);
    expect(pod.deletedAs()?.status?.phase).toBe('Failed');
  });

  test('sidecars do not keep it from its end: they are stopped, the last first', async () => {
    const sidecars = ['one', 'two'].map(name => container(name, { restartPolicy: 'Always' }));
    const pod = await startWorker({
      spec: { restartPolicy: 'Never', initContainers: sidecars, containers: [c] },
    });
    pod.runtime.exitContainer(await pod.running('c'), { exitCode: 0 });
    await waitFor(() => expect(pod.status().phase).toBe('Succeeded'));
    const stops = pod.events.filter(each => each.includes('Stopping container'));
    expect(stops).toEqual([
      'Normal Killing: Stopping container two',
      'Normal Killing: Stopping container one',
    ]);
    // No status on the way was anything but Pending, Running and Succeeded, in that order.
    const phases = pod.statuses.map(each => each.phase);
    expect(phases.filter((phase, at) => phase !== phases[at - 1])).toEqual([
      'Pending',
      'Running',
      'Succeeded',
    ]);
  });

  test('a sidecar in back-off leaves a running pod Running', async () => {
    const side = container('side', { restartPolicy: 'Always' });
    const pod = await startWorker({ spec: { initContainers: [side], containers: [c] } });
    await pod.running('c');
    pod.runtime.exitContainer(await pod.running('side'), { exitCode: 1 });
    await waitFor(() => expect(pod.containerStatus('side')?.restartCount).toBe(1));
    pod.runtime.exitContainer(await pod.running('side'), { exitCode: 1 });
    await waitFor(() =>
      expect(pod.containerStatus('side')?.state?.waiting?.reason).toBe('CrashLoopBackOff'),
    );
    expect(pod.status().phase).toBe('Running');
    const condition = (type: string) => pod.status().conditions?.find(each => each.type === type);
    expect(condition('Initialized')?.status).toBe('True');
    expect(condition('ContainersReady')).toMatchObject({
      status: 'False',
      message: 'containers with unready status: [side]',
    });
  });
});

describe('a pod that is deleted', () => {
  test.each([
    ['Succeeded', 0],
    ['Failed', 143],
  ])('it ends as %s, also in its DELETED event', async (phase, exitCode) => {
    const pod = await startWorker({ spec: { containers: [c] } });
    await pod.running('c');
    pod.runtime.setExitOnStop('c', { exitCode });
    pod.requestDeletion();
    await pod.worker.gone;
    expect(pod.deletedAs()?.status).toMatchObject({
      phase,
      containerStatuses: [{ ready: false, state: { terminated: { exitCode } } }],
    });
    expect(pod.pod()).toBeUndefined();
    expect(await pod.runtime.listContainers()).toEqual([]);
    expect(await pod.runtime.listPodSandboxes()).toEqual([]);
    expect(pod.isMounted()).toBe(false);
  });

  test.each(['pullImage', 'createContainer', 'runPodSandbox'] as const)(
    'before its containers start (during %s): none is started, and nothing is waited for',
    async method => {
      const runtime = createFakeRuntime();
      const held = runtime.holdNext(method);
      const pod = await startWorker({ spec: { containers: [c] }, runtime });
      await held.reached;
      pod.requestDeletion();
      // A pull may take for ever: the pod does not wait for it.
      if (method !== 'pullImage') held.release();
      await pod.worker.gone;
      expect(pod.callsOf('startContainer')).toBe(0);
      expect(pod.callsOf('stopContainer')).toBe(0);
      expect(pod.deletedAs()?.status?.phase).toBe('Failed');
      expect(await runtime.listPodSandboxes()).toEqual([]);
      held.release();
    },
  );

  test('a second request with a shorter grace period overtakes the first', async () => {
    const runtime = createFakeRuntime();
    const pod = await startWorker({ spec: { containers: [c] }, runtime });
    await pod.running('c');
    const held = runtime.holdNext('stopContainer');
    pod.requestDeletion(30);
    await held.reached;
    pod.requestDeletion(1);
    await pod.worker.gone;
    const stops = runtime.calls.filter(each => each.method === 'stopContainer');
    expect(stops.map(({ args }) => args[1])).toEqual([30, 1]);
    held.release();
  });

  test('a pod that vanishes from the API is stopped at once, and not deleted again', async () => {
    const pod = await startWorker({ spec: { containers: [c] } });
    await pod.running('c');
    pod.removeFromApi();
    await pod.worker.gone;
    expect(pod.deletedAs()).toBeUndefined();
    expect(pod.runtime.calls.find(each => each.method === 'stopContainer')?.args[1]).toBe(2);
    expect(await pod.runtime.listPodSandboxes()).toEqual([]);
  });

  test('a stop that fails is repeated after a back-off, and preStop runs once', async () => {
    const runtime = createFakeRuntime();
    const preStop = { exec: { command: ['goodbye'] } };
    const pod = await startWorker({
      spec: { containers: [container('c', { lifecycle: { preStop } })] },
      runtime,
    });
    await pod.running('c');
    runtime.failNext('stopContainer', new RuntimeError('unknown', 'no answer'));
    pod.requestDeletion();
    await waitFor(() =>
      expect(pod.events).toContain(
        'Warning FailedKillPod: error killing pod: failed to "KillContainer" for "c" with KillContainerError: "no answer"',
      ),
    );
    const syncs = pod.callsOf('listContainers');
    pod.worker.wake();
    await waitFor(() => {
      pod.worker.wake();
      expect(pod.callsOf('listContainers')).toBeGreaterThan(syncs + 5);
    });
    expect(pod.callsOf('stopContainer')).toBe(1);
    await pod.worker.gone;
    expect(pod.callsOf('stopContainer')).toBe(2);
    expect(pod.callsOf('execSync')).toBe(1);
    expect(pod.events.filter(each => each.startsWith('Normal Killing'))).toHaveLength(1);
  });

  test('a failed stop does not delay one with a shorter grace period', async () => {
    const runtime = createFakeRuntime();
    const pod = await startWorker({ spec: { containers: [c] }, runtime });
    await pod.running('c');
    const held = runtime.holdNext('stopContainer');
    pod.requestDeletion(30);
    await held.reached;
    held.fail(new RuntimeError('unknown', 'no answer'));
    await waitFor(() => expect(pod.warnings).toHaveLength(1));
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    try {
      // No back-off ends while timers stand still.
      pod.requestDeletion(0);
      await pod.worker.gone;
    } finally {
      vi.useRealTimers();
    }
    expect(pod.callsOf('stopContainer')).toBe(2);
  });
});

describe('a worker that takes over', () => {
  test('it goes on with the containers that it finds', async () => {
    const runtime = createFakeRuntime();
    const spec = { containers: [c] };
    const first = await startWorker({ spec, runtime });
    const id = await first.running('c');
    await first.worker.close();
    const second = await startWorker({ spec, runtime, status: first.status() });
    expect(await second.running('c')).toBe(id);
    expect(second.callsOf('createContainer')).toBe(1);
  });

  test('a pod that had ended is left ended', async () => {
    const pod = await startWorker({
      spec: { restartPolicy: 'Never', containers: [c] },
      status: { phase: 'Succeeded' },
    });
    await waitFor(() => expect(pod.callsOf('listContainers')).toBeGreaterThan(1));
    expect(pod.callsOf('runPodSandbox')).toBe(0);
    expect(pod.status().phase).toBe('Succeeded');
  });

  test('a pod that had been rejected has still no containers to report', async () => {
    const status = { phase: 'Failed', reason: 'NodePorts', message: 'no free ports' } as const;
    const pod = await startWorker({ spec: { containers: [c] }, status });
    await waitFor(() => expect(pod.statuses.length).toBeGreaterThan(0));
    expect(pod.status()).toMatchObject(status);
    expect(pod.status().containerStatuses).toBeUndefined();
  });

  test('closing it while an image is pulled does not wait for the pull', async () => {
    const runtime = createFakeRuntime();
    const held = runtime.holdNext('pullImage');
    const pod = await startWorker({ spec: { containers: [c] }, runtime });
    await held.reached;
    await pod.worker.close();
    held.release();
    expect(pod.callsOf('createContainer')).toBe(0);
  });
});
