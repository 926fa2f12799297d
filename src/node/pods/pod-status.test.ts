import { describe, expect, test } from 'vitest';
import type { ContainerStatus, Pod } from '../../api/core/v1/pod.ts';
import { container, pod, seen, stateOf, reported } from '../../../test/support/runtime-state.ts';
import type { Waiting } from './container-status.ts';
import { podStatus } from './pod-status.ts';
import type { PodRuntimeState } from './runtime-state.ts';

const c = container('c');

describe('podStatus()', () => {
  const statusOf = (of: Pod, state: PodRuntimeState, waiting: Record<string, Waiting> = {}) =>
    podStatus({
      pod: of,
      state,
      facts: {
        waiting: new Map(Object.entries(waiting)),
        isReady: () => true,
        isStarted: () => true,
        terminationMessage: () => '',
        mountStatuses: () => [],
        runtimeName: 'containerd',
      },
      podIps: ['10.42.0.2'],
      hostIp: '192.0.2.1',
      sandboxReady: true,
      terminal: false,
    });
  const condition = (status: ReturnType<typeof statusOf>, type: string) =>
    status.conditions?.find(each => each.type === type);

  test.each([
    ['nothing yet', 'Always', stateOf(), 'Pending'],
    ['running', 'Always', stateOf(seen(c, 'CONTAINER_RUNNING')), 'Running'],
    ['ended, to be restarted', 'Always', stateOf(seen(c, 'CONTAINER_EXITED')), 'Running'],
    ['ended well', 'Never', stateOf(seen(c, 'CONTAINER_EXITED')), 'Succeeded'],
    ['ended badly', 'Never', stateOf(seen(c, 'CONTAINER_EXITED', { exitCode: 1 })), 'Failed'],
    [
      'ended badly, to be tried again',
      'OnFailure',
      stateOf(seen(c, 'CONTAINER_EXITED', { exitCode: 1 })),
      'Running',
    ],
  ] as const)('%s with %s: the phase', (_title, restartPolicy, state, phase) => {
    expect(statusOf(pod({ restartPolicy }), state).phase).toBe(phase);
  });

  test('a running pod is ready; one that waits says which containers are not', () => {
    expect(
      condition(statusOf(pod(), stateOf(seen(c, 'CONTAINER_RUNNING'))), 'Ready'),
    ).toMatchObject({ status: 'True' });
    expect(condition(statusOf(pod(), stateOf()), 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [c]',
    });
  });

  test('a back-off shows why the last one ended', () => {
    const exited = stateOf(seen(c, 'CONTAINER_EXITED', { exitCode: 3 }));
    const [status] =
      statusOf(pod(), exited, { c: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } })
        .containerStatuses ?? [];
    expect(status).toMatchObject({
      ready: false,
      state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } },
      lastState: { terminated: { exitCode: 3, reason: 'Error' } },
    });
  });

  test('containers wait for the init containers under that name', () => {
    const status = statusOf(pod({ initContainers: [container('init')] }), stateOf());
    expect(status.containerStatuses?.[0]?.state).toEqual({
      waiting: { reason: 'PodInitializing' },
    });
    expect(condition(status, 'Initialized')).toMatchObject({
      message: 'containers with incomplete status: [init]',
    });
  });

  describe('of a container that the runtime has forgotten', () => {
    const ran = (state: NonNullable<ContainerStatus['state']>): ContainerStatus =>
      reported({ restartCount: 1, containerID: 'containerd://gone', state });
    const after = (of: Pod, old: ContainerStatus) => {
      const status = statusOf({ ...of, status: { containerStatuses: [old] } }, stateOf());
      return { phase: status.phase, ...status.containerStatuses?.[0] };
    };

    test('its end stays told', () => {
      const terminated = { exitCode: 3, reason: 'Error', message: 'last words' };
      expect(after(pod({ restartPolicy: 'Never' }), ran({ terminated }))).toMatchObject({
        phase: 'Failed',
        state: { terminated },
        restartCount: 1,
        containerID: 'containerd://gone',
      });
    });

    test('one that ran was lost: it is counted as restarted', () => {
      const running = { startedAt: '2020-01-01T00:00:00Z' };
      const status = after(pod(), ran({ running }));
      expect(status).toMatchObject({
        phase: 'Running',
        state: { waiting: { reason: 'ContainerCreating' } },
        lastState: { terminated: { reason: 'ContainerStatusUnknown', exitCode: 137 } },
        restartCount: 2,
      });
      expect(status).not.toHaveProperty('containerID');
    });

    test('one that ran and never restarts has failed', () => {
      const running = { startedAt: '2020-01-01T00:00:00Z' };
      expect(after(pod({ restartPolicy: 'Never' }), ran({ running }))).toMatchObject({
        phase: 'Failed',
        state: { terminated: { reason: 'ContainerStatusUnknown', exitCode: 137 } },
        restartCount: 1,
      });
    });

    test('its successor shows how it ended', () => {
      const terminated = { exitCode: 3, reason: 'Error' };
      const of = { ...pod(), status: { containerStatuses: [ran({ terminated })] } };
      const [status] = statusOf(of, stateOf(seen(c, 'CONTAINER_RUNNING'))).containerStatuses ?? [];
      expect(status).toMatchObject({ state: { running: {} }, lastState: { terminated } });
    });
  });

  test('a condition that did not change keeps its time', () => {
    const old = { type: 'Ready', status: 'True', lastTransitionTime: '2020-01-01T00:00:00Z' };
    const status = statusOf(
      { ...pod(), status: { conditions: [old] } },
      stateOf(seen(c, 'CONTAINER_RUNNING')),
    );
    expect(condition(status, 'Ready')).toEqual(old);
  });
});
