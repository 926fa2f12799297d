import { describe, expect, test } from 'vitest';
import type { ContainerStatus, Pod } from '../../api/core/v1/pod.ts';
import { podConditions } from './pod-conditions.ts';
import { podPhase } from './pod-phase.ts';
import { terminalStatuses } from './terminal-status.ts';

const terminated = (exitCode: number) => ({ terminated: { exitCode } });
const states = {
  waiting: { state: { waiting: { reason: 'PodInitializing' } } },
  starting: { state: { running: {} }, started: false },
  running: { state: { running: {} }, started: true, ready: true },
  unready: { state: { running: {} }, started: true, ready: false },
  backOff: { state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: terminated(1) },
  succeeded: { state: terminated(0) },
  failed: { state: terminated(1) },
} as const;
type StateName = keyof typeof states;

const statusOf = (name: string, state: StateName, more: Partial<ContainerStatus> = {}) => ({
  name,
  image: 'i',
  imageID: '',
  ready: false,
  restartCount: 0,
  ...states[state],
  ...more,
});

interface Case {
  policy?: 'Always' | 'OnFailure' | 'Never';
  /** A plain init container, before the sidecar. */
  init?: StateName;
  sidecar?: StateName;
  main: StateName[];
  terminal?: boolean;
}

function build({ policy = 'Always', init, sidecar, main }: Case) {
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'n', uid: 'u' },
    spec: {
      restartPolicy: policy,
      initContainers: [
        ...(init === undefined ? [] : [{ name: 'init', image: 'i' }]),
        ...(sidecar === undefined
          ? []
          : [{ name: 'side', image: 'i', restartPolicy: 'Always' as const }]),
      ],
      containers: main.map((_state, at) => ({ name: `c${at}`, image: 'i' })),
    },
  };
  return {
    pod,
    initContainerStatuses: [
      ...(init === undefined
        ? []
        : [statusOf('init', init, init === 'succeeded' ? { ready: true } : {})]),
      ...(sidecar === undefined ? [] : [statusOf('side', sidecar)]),
    ],
    containerStatuses: main.map((state, at) => statusOf(`c${at}`, state)),
  };
}

describe('podPhase(): the table of the kubelet', () => {
  test.each<[Case, string]>([
    // Without init containers.
    [{ main: ['waiting'] }, 'Pending'],
    [{ main: ['running', 'waiting'] }, 'Pending'],
    [{ main: ['running', 'running'] }, 'Running'],
    [{ main: ['running', 'failed'] }, 'Running'],
    [{ main: ['backOff'] }, 'Running'],
    [{ main: ['succeeded'] }, 'Running'],
    [{ policy: 'OnFailure', main: ['succeeded', 'backOff'] }, 'Running'],
    [{ policy: 'OnFailure', main: ['succeeded', 'failed'] }, 'Running'],
    [{ policy: 'OnFailure', main: ['succeeded', 'succeeded'] }, 'Succeeded'],
    [{ policy: 'Never', main: ['succeeded', 'succeeded'] }, 'Succeeded'],
    [{ policy: 'Never', main: ['succeeded', 'failed'] }, 'Failed'],
    [{ policy: 'Never', main: ['succeeded', 'running'] }, 'Running'],
    // Init containers.
    [{ init: 'waiting', main: ['waiting'] }, 'Pending'],
    [{ init: 'running', main: ['waiting'] }, 'Pending'],
    [{ init: 'backOff', main: ['waiting'] }, 'Pending'],
    [{ init: 'failed', main: ['waiting'] }, 'Pending'],
    [{ init: 'failed', policy: 'OnFailure', main: ['waiting'] }, 'Pending'],
    [{ init: 'failed', policy: 'Never', main: ['waiting'] }, 'Failed'],
    [{ init: 'failed', policy: 'Never', sidecar: 'running', main: ['waiting'] }, 'Failed'],
    [{ init: 'succeeded', main: ['waiting'] }, 'Pending'],
    [{ init: 'succeeded', main: ['running'] }, 'Running'],
    // Sidecars: before the pod has initialized they keep it Pending.
    [{ sidecar: 'waiting', main: ['waiting'] }, 'Pending'],
    [{ sidecar: 'starting', main: ['waiting'] }, 'Pending'],
    [{ sidecar: 'running', main: ['waiting'] }, 'Pending'],
    [{ sidecar: 'backOff', main: ['waiting'] }, 'Pending'],
    [{ sidecar: 'running', main: ['running'] }, 'Running'],
    // After that they do not.
    [{ sidecar: 'starting', main: ['running'] }, 'Running'],
    [{ sidecar: 'backOff', main: ['running'] }, 'Running'],
    [{ sidecar: 'failed', main: ['running'] }, 'Running'],
    [{ sidecar: 'running', main: ['backOff'] }, 'Running'],
    // The others have ended: the pod ends with its last sidecar, however that ends.
    [{ policy: 'Never', sidecar: 'running', main: ['succeeded'] }, 'Running'],
    [{ policy: 'Never', sidecar: 'succeeded', main: ['succeeded'] }, 'Succeeded'],
    [{ policy: 'Never', sidecar: 'failed', main: ['succeeded'] }, 'Succeeded'],
    [{ policy: 'Never', sidecar: 'failed', main: ['failed'] }, 'Failed'],
    [{ policy: 'OnFailure', sidecar: 'failed', main: ['succeeded'] }, 'Succeeded'],
    [{ policy: 'OnFailure', sidecar: 'backOff', main: ['failed'] }, 'Running'],
    [{ sidecar: 'failed', main: ['succeeded'] }, 'Running'],
    // Of a deleted pod, whatever its restart policy.
    [{ terminal: true, main: ['succeeded', 'succeeded'] }, 'Succeeded'],
    [{ terminal: true, main: ['succeeded', 'failed'] }, 'Failed'],
    [{ terminal: true, policy: 'OnFailure', main: ['failed'] }, 'Failed'],
    [{ terminal: true, sidecar: 'failed', main: ['succeeded'] }, 'Succeeded'],
  ])('%j: %s', (given, phase) => {
    expect(podPhase({ ...build(given), terminal: given.terminal === true })).toBe(phase);
  });
});

describe('podConditions()', () => {
  const conditionOf = (given: Case, type: string, phase: 'Pending' | 'Running' | 'Succeeded') =>
    podConditions({ ...build(given), phase, sandboxReady: true }).find(each => each.type === type);

  test('Initialized: a sidecar has to have started, until a container has', () => {
    const incomplete = { status: 'False', reason: 'ContainersNotInitialized' };
    const message = 'containers with incomplete status: [side]';
    const of = (sidecar: StateName, main: StateName) =>
      conditionOf({ init: 'succeeded', sidecar, main: [main] }, 'Initialized', 'Pending');
    expect(of('starting', 'waiting')).toMatchObject({ ...incomplete, message });
    expect(of('backOff', 'waiting')).toMatchObject({ ...incomplete, message });
    expect(of('running', 'waiting')).toMatchObject({ status: 'True' });
    expect(of('unready', 'waiting')).toMatchObject({ status: 'True' });
    expect(of('backOff', 'running')).toMatchObject({ status: 'True' });
  });

  test('ContainersReady: sidecars count, plain init containers do not', () => {
    const of = (sidecar: StateName) =>
      conditionOf({ init: 'succeeded', sidecar, main: ['running'] }, 'ContainersReady', 'Running');
    expect(of('running')).toMatchObject({ status: 'True' });
    expect(of('unready')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [side]',
    });
  });

  test('a pod that completed is initialized, and not ready', () => {
    const given: Case = { policy: 'Never', sidecar: 'failed', main: ['succeeded'] };
    const completed = { reason: 'PodCompleted' };
    const of = (type: string) => conditionOf(given, type, 'Succeeded');
    expect(of('Initialized')).toMatchObject({ status: 'True', ...completed });
    expect(of('Ready')).toMatchObject({ status: 'False', ...completed });
    expect(of('ContainersReady')).toMatchObject({ status: 'False', ...completed });
  });

  test('a readiness gate says what it waits for', () => {
    const built = build({ main: ['running'] });
    built.pod.spec.readinessGates = [{ conditionType: 'a.io/x' }, { conditionType: 'a.io/y' }];
    built.pod.status = { conditions: [{ type: 'a.io/y', status: 'False' }] };
    const conditions = podConditions({ ...built, phase: 'Running', sandboxReady: true });
    expect(conditions.find(each => each.type === 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ReadinessGatesNotReady',
      message:
        'corresponding condition of pod readiness gate "a.io/x" does not exist., the status of pod readiness gate "a.io/y" is not "True", but False',
    });
    expect(conditions.find(each => each.type === 'ContainersReady')?.status).toBe('True');
  });
});

describe('terminalStatuses()', () => {
  const codes = (given: Case) => {
    const built = build(given);
    const statuses = terminalStatuses(built.pod, built);
    return [...statuses.initContainerStatuses, ...statuses.containerStatuses].map(
      ({ state }) => state?.terminated?.exitCode,
    );
  };

  test.each<[string, Case, (number | undefined)[]]>([
    ['what never started has failed', { main: ['waiting', 'succeeded'] }, [137, 0]],
    [
      'an init container that never started has failed',
      { init: 'waiting', main: ['waiting'] },
      [137, undefined],
    ],
    [
      'containers after a failed init container were never due',
      { init: 'failed', main: ['waiting'] },
      [1, undefined],
    ],
    [
      'containers after a completed init container were due',
      { init: 'succeeded', main: ['waiting'] },
      [0, 137],
    ],
  ])('%s', (_title, given, expected) => {
    expect(codes(given)).toEqual(expected);
  });
});
