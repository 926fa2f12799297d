import { timestamp } from '../../machinery/timestamp.ts';
import type {
  Container,
  ContainerState,
  ContainerStatus as ApiContainerStatus,
  Pod,
  PodCondition,
  PodStatus,
  VolumeMountStatus,
} from '../../api/core/v1/pod.ts';
import type { ContainerStatus } from '../runtime/runtime.ts';
import { forgottenStatus, lastTermination, toldStatuses } from './forgotten-container.ts';
import { restarts } from './plan.ts';
import { hasExited, isRunning, type PodRuntimeState } from './runtime-state.ts';

/** Why a container does not run yet. */
export interface Waiting {
  readonly reason: string;
  readonly message?: string;
}

/** What the runtime does not know of a container. */
export interface ContainerFacts {
  /** By container name. */
  readonly waiting: ReadonlyMap<string, Waiting>;
  /** By container id: what probes found. */
  readonly isReady: (container: Container, id: string) => boolean;
  readonly isStarted: (container: Container, id: string) => boolean;
  /** Last words, by container id. */
  readonly terminationMessage: (id: string) => string;
  readonly mountStatuses: (container: Container) => VolumeMountStatus[];
  readonly runtimeName: string;
}

export interface StatusRequest {
  readonly pod: Pod;
  readonly state: PodRuntimeState;
  readonly facts: ContainerFacts;
  readonly podIps: readonly string[];
  readonly hostIp: string;
  readonly sandboxReady: boolean;
  /** Set when the pod as a whole was ended: DeadlineExceeded, Evicted. */
  readonly ended?: { readonly reason: string; readonly message: string } | undefined;
  /** Set when the node refused to run the pod. */
  readonly rejected?: boolean;
}

/** The pod's status out of what is seen; times of conditions that did not change are kept. */
export function podStatus(request: StatusRequest): PodStatus {
  const { pod, podIps, hostIp, ended } = request;
  const old = pod.status ?? {};
  const initContainerStatuses = (pod.spec.initContainers ?? []).map(each =>
    containerStatus(each, request, true),
  );
  const containerStatuses = pod.spec.containers.map(each => containerStatus(each, request, false));
  const phase =
    ended === undefined ? phaseOf(pod, initContainerStatuses, containerStatuses) : 'Failed';
  return {
    phase,
    conditions: conditions(request, { phase, initContainerStatuses, containerStatuses }),
    ...(ended === undefined ? {} : ended),
    hostIP: hostIp,
    hostIPs: [{ ip: hostIp }],
    ...(podIps[0] === undefined ? {} : { podIP: podIps[0], podIPs: podIps.map(ip => ({ ip })) }),
    startTime: old.startTime ?? timestamp(),
    // A pod that was never admitted has no containers to report.
    ...(request.rejected === true && request.state.containers.size === 0
      ? {}
      : {
          ...(initContainerStatuses.length === 0 ? {} : { initContainerStatuses }),
          containerStatuses,
        }),
    ...(old.qosClass === undefined ? {} : { qosClass: old.qosClass }),
  };
}

function containerStatus(
  container: Container,
  request: StatusRequest,
  init: boolean,
): ApiContainerStatus {
  const { pod, state, facts } = request;
  const [newest, before] = state.containers.get(container.name) ?? [];
  const waiting = facts.waiting.get(container.name);
  const old = oldStatus(pod, container.name);
  const volumeMounts = facts.mountStatuses(container);
  const mounts = volumeMounts.length === 0 ? {} : { volumeMounts };
  if (newest === undefined && old?.containerID !== undefined && waiting === undefined)
    return {
      ...forgottenStatus(pod, old, { init, initial: initialWaiting(pod, init) }),
      ...mounts,
    };
  const started =
    newest !== undefined && isRunning(newest) && facts.isStarted(container, newest.id);
  const done =
    init &&
    container.restartPolicy !== 'Always' &&
    newest !== undefined &&
    hasExited(newest) &&
    newest.exitCode === 0;
  const ready = done || (newest !== undefined && started && facts.isReady(container, newest.id));
  const current = stateOf(newest, waiting, request, init, pod);
  const last = current.waiting !== undefined && hasExited(newest) ? newest : before;
  return {
    name: container.name,
    state: current,
    lastState:
      last !== undefined && hasExited(last)
        ? { terminated: terminated(last, facts) }
        : lastTermination(old, newest === undefined ? '' : idOf(newest, facts)),
    ready,
    restartCount: newest?.metadata.attempt ?? old?.restartCount ?? 0,
    image: newest?.image || (container.image ?? ''),
    imageID: newest?.imageRef ?? '',
    ...(newest === undefined ? {} : { containerID: idOf(newest, facts) }),
    started,
    ...mounts,
  };
}

const idOf = ({ id }: ContainerStatus, { runtimeName }: ContainerFacts): string =>
  `${runtimeName}://${id}`;

const oldStatus = (pod: Pod, name: string): ApiContainerStatus | undefined =>
  toldStatuses(pod).find(each => each.name === name);

const initialWaiting = ({ spec }: Pod, init: boolean): Waiting => ({
  reason: !init && (spec.initContainers ?? []).length > 0 ? 'PodInitializing' : 'ContainerCreating',
});

function stateOf(
  newest: ContainerStatus | undefined,
  waiting: Waiting | undefined,
  { facts }: StatusRequest,
  init: boolean,
  pod: Pod,
): ContainerState {
  if (newest !== undefined && isRunning(newest))
    return { running: { startedAt: nsTime(newest.startedAt) } };
  // What will not be started again waits for nothing, whatever its start ended in.
  const settled =
    newest !== undefined &&
    hasExited(newest) &&
    !restarts(pod.spec.restartPolicy ?? 'Always', newest);
  if (waiting !== undefined && !settled) return { waiting: { ...waiting } };
  if (newest !== undefined && hasExited(newest)) return { terminated: terminated(newest, facts) };
  return { waiting: { ...initialWaiting(pod, init) } };
}

function terminated(
  status: ContainerStatus,
  facts: ContainerFacts,
): NonNullable<ContainerState['terminated']> {
  const message = facts.terminationMessage(status.id) || status.message;
  return {
    exitCode: status.exitCode,
    reason: status.reason || (status.exitCode === 0 ? 'Completed' : 'Error'),
    ...(message === '' ? {} : { message }),
    startedAt: nsTime(status.startedAt),
    finishedAt: nsTime(status.finishedAt),
    containerID: idOf(status, facts),
  };
}

const nsTime = (ns: bigint): string => timestamp(Number(ns / 1_000_000n));

/** kubelet's getPhase. */
function phaseOf(
  pod: Pod,
  init: readonly ApiContainerStatus[],
  main: readonly ApiContainerStatus[],
): NonNullable<PodStatus['phase']> {
  const policy = pod.spec.restartPolicy ?? 'Always';
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return pod.status.phase;
  const sidecar = (name: string): boolean =>
    pod.spec.initContainers?.find(each => each.name === name)?.restartPolicy === 'Always';
  for (const { name, state, started } of init) {
    if (sidecar(name) ? started === true : state?.terminated?.exitCode === 0) continue;
    return policy === 'Never' && state?.terminated !== undefined && !sidecar(name)
      ? 'Failed'
      : 'Pending';
  }
  const ended = main.filter(({ state }) => state?.terminated !== undefined);
  const begun = main.filter(
    ({ state, lastState }) =>
      state?.running !== undefined ||
      state?.terminated !== undefined ||
      lastState?.terminated !== undefined,
  );
  if (begun.length < main.length) return 'Pending';
  if (ended.length < main.length || policy === 'Always') return 'Running';
  const failed = ended.some(({ state }) => state?.terminated?.exitCode !== 0);
  if (failed) return policy === 'OnFailure' ? 'Running' : 'Failed';
  return 'Succeeded';
}

interface Parts {
  readonly phase: string;
  readonly initContainerStatuses: readonly ApiContainerStatus[];
  readonly containerStatuses: readonly ApiContainerStatus[];
}

function conditions({ pod, sandboxReady }: StatusRequest, parts: Parts): PodCondition[] {
  const old = pod.status?.conditions ?? [];
  const make = (
    type: string,
    holds: boolean,
    why: { reason?: string; message?: string } = {},
  ): PodCondition => {
    const status = holds ? 'True' : 'False';
    const before = old.find(each => each.type === type);
    const lastTransitionTime =
      before?.status === status && before.lastTransitionTime !== undefined
        ? before.lastTransitionTime
        : timestamp();
    return {
      type,
      status,
      lastTransitionTime,
      ...(holds && why.reason !== 'PodCompleted' ? {} : why),
    };
  };
  const completed = parts.phase === 'Succeeded';
  const sidecar = (name: string): boolean =>
    pod.spec.initContainers?.find(each => each.name === name)?.restartPolicy === 'Always';
  const notInitialized = parts.initContainerStatuses.filter(({ name, state, started }) =>
    sidecar(name) ? started !== true : state?.terminated?.exitCode !== 0,
  );
  const unready = [
    ...parts.initContainerStatuses.filter(({ name }) => sidecar(name)),
    ...parts.containerStatuses,
  ].filter(each => !each.ready);
  const names = (list: readonly ApiContainerStatus[]): string =>
    `[${list.map(each => each.name).join(' ')}]`;
  const notReady = completed
    ? { reason: 'PodCompleted' }
    : parts.phase === 'Failed'
      ? { reason: 'PodFailed' }
      : {
          reason: 'ContainersNotReady',
          message: `containers with unready status: ${names(unready)}`,
        };
  const gates = (pod.spec.readinessGates ?? []).every(({ conditionType }) =>
    old.some(each => each.type === conditionType && each.status === 'True'),
  );
  const containersReady = unready.length === 0 && !completed && parts.phase !== 'Failed';
  const ours = [
    make('PodReadyToStartContainers', sandboxReady),
    completed
      ? make('Initialized', true, { reason: 'PodCompleted' })
      : make('Initialized', notInitialized.length === 0, {
          reason: 'ContainersNotInitialized',
          message: `containers with incomplete status: ${names(notInitialized)}`,
        }),
    make(
      'Ready',
      containersReady && gates,
      containersReady ? { reason: 'ReadinessGatesNotReady' } : notReady,
    ),
    make('ContainersReady', containersReady, notReady),
    make('PodScheduled', true),
  ];
  return [...ours, ...old.filter(each => !ours.some(mine => mine.type === each.type))];
}
