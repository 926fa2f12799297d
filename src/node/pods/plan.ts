import type { Container, Pod } from '../../api/core/v1/pod.ts';
import type { Unhealthy } from '../probes/prober.ts';
import { annotations } from './names.ts';
import { containerHash } from './container-config.ts';
import { reportedStatuses } from './lost-container-status.ts';
import {
  hasExited,
  isRunning,
  readySandbox,
  type PodContainer,
  type PodRuntimeState,
} from './runtime-state.ts';

/** A container that has to be started. */
export interface Start {
  readonly container: Container;
  readonly attempt: number;
  /** Its predecessor, which ended: the back-off counts from there. */
  readonly previous: PodContainer | undefined;
}

export interface Kill {
  readonly container: Container;
  readonly id: string;
  readonly message: string;
  /** Absent: the grace period of the pod. */
  readonly graceSeconds?: number | undefined;
  /** Another takes its place, also in a pod that never restarts. */
  readonly replaces: boolean;
}

/** What has to be done to a pod now. */
export interface Plan {
  readonly start: readonly Start[];
  readonly kill: readonly Kill[];
  /** No container runs that counts, and none will be started again. */
  readonly finished: boolean;
}

export interface PlanFacts {
  /** By container id: that a liveness or startup probe gave it up. */
  readonly unhealthy: (id: string) => Unhealthy | undefined;
  readonly isStarted: (container: Container, id: string) => boolean;
  /** By container id: it was stopped because its definition changed. */
  readonly isReplaced: (id: string) => boolean;
}

const nothing: Plan = { start: [], kill: [], finished: false };

/** Compares the spec with the runtime state: kuberuntime's computePodActions. */
export function planPod(pod: Pod, state: PodRuntimeState, facts: PlanFacts): Plan {
  const policy = pod.spec.restartPolicy ?? 'Always';
  const sandbox = readySandbox(state);
  const lastOf = (container: Container): PodContainer | undefined =>
    state.containers.get(container.name)?.[0];
  /** In a new sandbox everything starts over, the init containers too. */
  const newestOf = (container: Container): PodContainer | undefined =>
    state.containers.get(container.name)?.find(each => each.podSandboxId === sandbox?.id);
  const isOver = (container: Container): boolean => {
    const last = lastOf(container);
    return (
      last?.state === 'CONTAINER_EXITED' && !restarts(policy, last) && !facts.isReplaced(last.id)
    );
  };
  const startOf = (container: Container): Start => {
    const previous = lastOf(container);
    const attempt =
      previous === undefined ? firstAttempt(pod, container) : previous.metadata.attempt + 1;
    return { container, attempt, previous };
  };
  const unknown = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].flatMap(
    container => {
      const newest = newestOf(container);
      return newest?.state === 'CONTAINER_UNKNOWN' ? [killUnknown(container, newest)] : [];
    },
  );
  if (unknown.length > 0) return { ...nothing, kill: unknown };
  if (pod.spec.containers.every(isOver)) return { ...nothing, finished: true };
  // A pod that never restarts gets no second sandbox.
  if (policy === 'Never' && sandbox === undefined && state.containers.size > 0)
    return { ...nothing, finished: true };

  const start: Start[] = [];
  const kill: Kill[] = [];
  const mainBegan = pod.spec.containers.some(each => newestOf(each) !== undefined);
  for (const container of pod.spec.initContainers ?? []) {
    const newest = newestOf(container);
    if (container.restartPolicy === 'Always') {
      if (newest === undefined || hasExited(newest)) start.push(startOf(container));
      else kill.push(...killOf(container, newest, facts));
      const up = newest !== undefined && isRunning(newest) && facts.isStarted(container, newest.id);
      if (!up && !mainBegan) return { start, kill, finished: false };
      continue;
    }
    if (mainBegan || (newest !== undefined && hasExited(newest) && newest.exitCode === 0)) continue;
    if (newest !== undefined && !hasExited(newest)) return { start, kill, finished: false };
    if (newest !== undefined && policy === 'Never') return { ...nothing, finished: true };
    return { start: [...start, startOf(container)], kill, finished: false };
  }

  for (const container of pod.spec.containers) {
    const newest = newestOf(container);
    if (newest !== undefined && isRunning(newest)) {
      kill.push(...killOf(container, newest, facts));
    } else if (!isOver(container)) {
      start.push(startOf(container));
    }
  }
  return { start, kill, finished: false };
}

/** The API counts the restarts of containers that the runtime no longer knows. */
function firstAttempt(pod: Pod, { name }: Container): number {
  const reported = reportedStatuses(pod).find(each => each.name === name);
  const { containerID = '', restartCount = 0 } = reported ?? {};
  return containerID === '' ? restartCount : restartCount + 1;
}

export const restarts = (policy: string, { exitCode }: { readonly exitCode: number }): boolean =>
  policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);

/** Whether a running container has to be stopped: its definition changed, or a probe gave it up. */
function killOf(container: Container, running: PodContainer, facts: PlanFacts): Kill[] {
  const replaces = isChanged(container, running);
  const kill = { container, id: running.id, replaces };
  if (replaces)
    return [
      { ...kill, message: `Container ${container.name} definition changed, will be restarted` },
    ];
  const unhealthy = facts.unhealthy(running.id);
  return unhealthy === undefined ? [] : [{ ...kill, ...unhealthy }];
}

/** It may still run, unseen. */
const killUnknown = (container: Container, { id }: PodContainer): Kill => ({
  container,
  id,
  message: 'Container is in "unknown" state, try killing it before restart',
  replaces: false,
});

function isChanged(container: Container, { annotations: own }: PodContainer): boolean {
  const hash = own[annotations.hash];
  return hash !== undefined && hash !== containerHash(container);
}
