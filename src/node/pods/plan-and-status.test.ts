import { describe, expect, test } from 'vitest';
import type { Container, ContainerStatus, Pod } from '../../api/core/v1/pod.ts';
import { containerHash } from './container-config.ts';
import { planPod } from './plan.ts';
import type { PodContainer, PodRuntimeState } from './runtime-state.ts';
import type { Waiting } from './container-status.ts';
import { podStatus } from './pod-status.ts';

const container = (name: string, more: Partial<Container> = {}): Container => ({
  name,
  image: 'i',
  ...more,
});
const pod = (spec: Partial<Pod['spec']> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'n', uid: 'u' },
  spec: { restartPolicy: 'Always', containers: [container('c')], ...spec },
});
const seen = (
  of: Container,
  state: PodContainer['state'],
  more: Partial<PodContainer> = {},
): PodContainer => ({
  id: `${of.name}-${more.metadata?.attempt ?? 0}`,
  metadata: { name: of.name, attempt: 0 },
  state,
  createdAt: 0n,
  startedAt: 1_000_000_000n,
  finishedAt: state === 'CONTAINER_EXITED' ? 2_000_000_000n : 0n,
  exitCode: 0,
  image: 'i',
  imageRef: 'sha256:1',
  reason: '',
  message: '',
  labels: {},
  annotations: { 'io.kubernetes.container.hash': containerHash(of) },
  logPath: '',
  mounts: [],
  podSandboxId: 'sandbox',
  ...more,
});
const sandbox = (id: string, state: 'SANDBOX_READY' | 'SANDBOX_NOTREADY', attempt = 0) => ({
  id,
  metadata: { name: 'p', namespace: 'n', uid: 'u', attempt },
  state,
  createdAt: 0n,
  labels: {},
  annotations: {},
});
const stateOf = (...statuses: PodContainer[]): PodRuntimeState => ({
  sandboxes: [sandbox('sandbox', 'SANDBOX_READY')],
  containers: new Map(statuses.map(each => [each.metadata.name, [each]])),
  neverStarted: [],
});
/** What the API has of container `c`. */
const told = (more: Partial<ContainerStatus>): ContainerStatus => ({
  name: 'c',
  image: 'i',
  imageID: '',
  ready: false,
  restartCount: 0,
  ...more,
});
/** As it is once the sandbox has died. */
const withDeadSandbox = (state: PodRuntimeState): PodRuntimeState => ({
  ...state,
  sandboxes: [sandbox('sandbox', 'SANDBOX_NOTREADY')],
});
/** As it is once a new one is there. */
const withNewSandbox = (state: PodRuntimeState): PodRuntimeState => ({
  ...state,
  sandboxes: [sandbox('new', 'SANDBOX_READY', 1), sandbox('sandbox', 'SANDBOX_NOTREADY')],
});
const facts = { isUnhealthy: () => undefined, isStarted: () => true, isReplaced: () => false };
const c = container('c');

describe('planPod()', () => {
  const starts = (of: Pod, state: PodRuntimeState): string[] =>
    planPod(of, state, facts).start.map(each => `${each.container.name} ${each.attempt}`);

  test('starts what is not there, and leaves what runs alone', () => {
    expect(starts(pod(), stateOf())).toEqual(['c 0']);
    expect(planPod(pod(), stateOf(seen(c, 'CONTAINER_RUNNING')), facts)).toEqual({
      start: [],
      kill: [],
      finished: false,
    });
  });

  test.each([
    ['Always', 0, ['c 1'], false],
    ['Always', 1, ['c 1'], false],
    ['OnFailure', 1, ['c 1'], false],
    ['OnFailure', 0, [], true],
    ['Never', 1, [], true],
  ] as const)('%s after exit %i', (restartPolicy, exitCode, start, finished) => {
    const state = stateOf(seen(c, 'CONTAINER_EXITED', { exitCode }));
    expect(starts(pod({ restartPolicy }), state)).toEqual(start);
    expect(planPod(pod({ restartPolicy }), state, facts).finished).toBe(finished);
  });

  test('init containers come one by one, before the others', () => {
    const one = container('one');
    const two = container('two');
    const of = pod({ initContainers: [one, two] });
    expect(starts(of, stateOf())).toEqual(['one 0']);
    expect(starts(of, stateOf(seen(one, 'CONTAINER_RUNNING')))).toEqual([]);
    expect(starts(of, stateOf(seen(one, 'CONTAINER_EXITED')))).toEqual(['two 0']);
    expect(
      starts(of, stateOf(seen(one, 'CONTAINER_EXITED'), seen(two, 'CONTAINER_EXITED'))),
    ).toEqual(['c 0']);
  });

  test('a failed init container is tried again, or ends a pod that never restarts', () => {
    const init = container('init');
    const failed = stateOf(seen(init, 'CONTAINER_EXITED', { exitCode: 1 }));
    expect(starts(pod({ initContainers: [init] }), failed)).toEqual(['init 1']);
    expect(
      planPod(pod({ initContainers: [init], restartPolicy: 'Never' }), failed, facts),
    ).toMatchObject({ start: [], finished: true });
  });

  test('init containers that were removed after the pod began are not run again', () => {
    const of = pod({ initContainers: [container('init')] });
    expect(starts(of, stateOf(seen(c, 'CONTAINER_RUNNING')))).toEqual([]);
  });

  describe('in a new sandbox', () => {
    const init = container('init');
    const ran = stateOf(
      seen(init, 'CONTAINER_EXITED'),
      seen(c, 'CONTAINER_EXITED', { exitCode: 137 }),
    );

    test('all begins anew, the init containers first, and is counted on', () => {
      const of = pod({ initContainers: [init] });
      expect(starts(of, withNewSandbox(ran))).toEqual(['init 1']);
      const again = seen(init, 'CONTAINER_EXITED', {
        podSandboxId: 'new',
        metadata: { name: 'init', attempt: 1 },
      });
      const later = { ...ran, containers: new Map([...ran.containers, ['init', [again]]]) };
      expect(starts(of, withNewSandbox(later))).toEqual(['c 1']);
    });

    test('what never restarts gets none', () => {
      const running = stateOf(seen(c, 'CONTAINER_RUNNING'));
      const never = pod({ restartPolicy: 'Never' });
      expect(planPod(never, withDeadSandbox(running), facts)).toMatchObject({
        start: [],
        finished: true,
      });
      // Nothing has run yet.
      expect(starts(never, withDeadSandbox(stateOf()))).toEqual(['c 0']);
    });

    test('OnFailure: what succeeded is not run again', () => {
      const d = container('d');
      const of = pod({ restartPolicy: 'OnFailure', containers: [c, d] });
      const state = stateOf(
        seen(c, 'CONTAINER_EXITED'),
        seen(d, 'CONTAINER_EXITED', { exitCode: 137 }),
      );
      expect(starts(of, withNewSandbox(state))).toEqual(['d 1']);
      const both = stateOf(seen(c, 'CONTAINER_EXITED'), seen(d, 'CONTAINER_EXITED'));
      expect(planPod(of, withDeadSandbox(both), facts).finished).toBe(true);
    });
  });

  test('one whose state is unknown is ended before another starts', () => {
    const init = container('init');
    const of = pod({ initContainers: [init] });
    const plan = planPod(of, stateOf(seen(init, 'CONTAINER_UNKNOWN')), facts);
    expect(plan).toMatchObject({
      start: [],
      kill: [{ id: 'init-0', message: expect.stringContaining('"unknown" state') as string }],
      finished: false,
    });
  });

  test.each([
    [told({ restartCount: 2, containerID: 'containerd://gone' }), 'c 3'],
    [told({ restartCount: 3 }), 'c 3'],
  ])('what the runtime has forgotten is counted on: %j', (old, start) => {
    expect(starts({ ...pod(), status: { containerStatuses: [old] } }, stateOf())).toEqual([start]);
  });

  test('a container that was ended for a new image is made anew even where nothing restarts', () => {
    const never = pod({ restartPolicy: 'Never', containers: [container('c', { image: 'newer' })] });
    const ended = stateOf(seen(c, 'CONTAINER_EXITED', { exitCode: 137 }));
    expect(planPod(never, ended, facts).finished).toBe(true);
    const plan = planPod(never, ended, { ...facts, isReplaced: () => true });
    expect(plan.start.map(each => each.container.image)).toEqual(['newer']);
  });

  test('a new image, or a failed probe, ends the container', () => {
    const newer = pod({ containers: [container('c', { image: 'newer' })] });
    const running = stateOf(seen(c, 'CONTAINER_RUNNING'));
    expect(planPod(newer, running, facts).kill.map(each => each.message)).toEqual([
      'Container c definition changed, will be restarted',
    ]);
    expect(
      planPod(pod(), running, { ...facts, isUnhealthy: () => 'because' }).kill.map(
        each => each.message,
      ),
    ).toEqual(['because']);
  });
});

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
      told({ restartCount: 1, containerID: 'containerd://gone', state });
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
