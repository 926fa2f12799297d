import type {
  Container,
  ContainerState,
  ContainerStatus as ApiContainerStatus,
  Pod,
  VolumeMountStatus,
} from '../../api/core/v1/pod.ts';
import { timestamp } from '../../machinery/timestamp.ts';
import type { ContainerStatus } from '../runtime/container-runtime.ts';
import { lostContainerStatus, lastTermination, reportedStatuses } from './lost-container-status.ts';
import { restarts } from './plan.ts';
import { hasExited, isRunning, type PodRuntimeState } from './runtime-state.ts';

/** Why a container does not run yet. */
export interface Waiting {
  readonly reason: string;
  readonly message?: string;
}

/** What the runtime does not know about a container. */
export interface ContainerFacts {
  /** By container name. */
  readonly waiting: ReadonlyMap<string, Waiting>;
  /** What its probes found, by container id. */
  readonly isReady: (container: Container, id: string) => boolean;
  readonly isStarted: (container: Container, id: string) => boolean;
  /** By container id. */
  readonly terminationMessage: (id: string) => string;
  readonly mountStatuses: (container: Container) => VolumeMountStatus[];
  readonly runtimeName: string;
}

export interface ContainerStatusRequest {
  readonly pod: Pod;
  readonly state: PodRuntimeState;
  readonly facts: ContainerFacts;
  /** No container runs, and none will be started again. */
  readonly terminal: boolean;
}

/** @param init whether it is an init container, a sidecar included */
export function containerStatus(
  container: Container,
  request: ContainerStatusRequest,
  init: boolean,
): ApiContainerStatus {
  const { pod, state, facts } = request;
  const [newest, before] = state.containers.get(container.name) ?? [];
  const waiting = facts.waiting.get(container.name);
  const old = reportedStatuses(pod).find(each => each.name === container.name);
  const volumeMounts = facts.mountStatuses(container);
  const mounts = volumeMounts.length === 0 ? {} : { volumeMounts };
  if (newest === undefined && old?.containerID !== undefined && waiting === undefined)
    return { ...lostContainerStatus(pod, old, { init, initial: initialWaiting(pod) }), ...mounts };
  const started =
    newest !== undefined && isRunning(newest) && facts.isStarted(container, newest.id);
  const completed =
    init &&
    container.restartPolicy !== 'Always' &&
    newest !== undefined &&
    hasExited(newest) &&
    newest.exitCode === 0;
  const current = stateOf(container, newest, waiting, request);
  const last = current.waiting !== undefined && hasExited(newest) ? newest : before;
  return {
    name: container.name,
    state: current,
    lastState:
      last !== undefined && hasExited(last)
        ? { terminated: terminated(last, facts) }
        : lastTermination(old, newest === undefined ? '' : idOf(newest, facts)),
    ready: completed || (newest !== undefined && started && facts.isReady(container, newest.id)),
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

/** Also of the init containers themselves, as in the kubelet. */
const initialWaiting = ({ spec }: Pod): Waiting => ({
  reason: (spec.initContainers ?? []).length > 0 ? 'PodInitializing' : 'ContainerCreating',
});

function stateOf(
  container: Container,
  newest: ContainerStatus | undefined,
  waiting: Waiting | undefined,
  { pod, facts, terminal }: ContainerStatusRequest,
): ContainerState {
  if (newest !== undefined && isRunning(newest))
    return { running: { startedAt: nsTime(newest.startedAt) } };
  const exited = newest !== undefined && hasExited(newest) ? newest : undefined;
  // What will not be started again waits for nothing, whatever its last start ended in.
  const isFinal =
    exited !== undefined &&
    (terminal ||
      pod.metadata.deletionTimestamp !== undefined ||
      (container.restartPolicy !== 'Always' &&
        !restarts(pod.spec.restartPolicy ?? 'Always', exited)));
  if (waiting !== undefined && !isFinal) return { waiting: { ...waiting } };
  if (exited !== undefined) return { terminated: terminated(exited, facts) };
  return { waiting: { ...initialWaiting(pod) } };
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
