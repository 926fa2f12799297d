import type { Container, Pod } from '../../api/core/v1/pod.ts';
import type { ContainerStatus } from '../runtime/runtime.ts';
import { annotations } from './names.ts';
import { containerHash } from './container-config.ts';
import { hasExited, isRunning, type PodRuntimeState } from './runtime-state.ts';

/** A container to be started, and what stands in the way of it. */
export interface Start {
  readonly container: Container;
  readonly attempt: number;
  /** The one before, which ended: its back-off counts. */
  readonly previous: ContainerStatus | undefined;
}

export interface Kill {
  readonly container: Container;
  readonly id: string;
  readonly message: string;
}

/** What is to be done to a pod now. */
export interface Plan {
  readonly start: readonly Start[];
  readonly kill: readonly Kill[];
  /** Nothing will ever run in it again. */
  readonly finished: boolean;
}

export interface PlanFacts {
  /** By container id: a liveness or startup probe gave it up. */
  readonly isUnhealthy: (id: string) => string | undefined;
  readonly isStarted: (container: Container, id: string) => boolean;
}

const nothing: Plan = { start: [], kill: [], finished: false };

/** Compares what is wanted with what is (kuberuntime's computePodActions). */
export function planPod(pod: Pod, state: PodRuntimeState, facts: PlanFacts): Plan {
  const policy = pod.spec.restartPolicy ?? 'Always';
  const newestOf = (container: Container): ContainerStatus | undefined =>
    state.containers.get(container.name)?.[0];
  const startOf = (container: Container): Start => {
    const previous = newestOf(container);
    return {
      container,
      attempt: previous === undefined ? 0 : previous.metadata.attempt + 1,
      previous,
    };
  };
  const sidecars: Start[] = [];
  const mainBegan = pod.spec.containers.some(each => newestOf(each) !== undefined);

  for (const container of pod.spec.initContainers ?? []) {
    const newest = newestOf(container);
    if (container.restartPolicy === 'Always') {
      if (newest === undefined || hasExited(newest)) sidecars.push(startOf(container));
      const up = newest !== undefined && isRunning(newest) && facts.isStarted(container, newest.id);
      if (!up && !mainBegan) return { ...nothing, start: sidecars };
      continue;
    }
    if (mainBegan || (newest !== undefined && hasExited(newest) && newest.exitCode === 0)) continue;
    if (newest !== undefined && !hasExited(newest)) return { ...nothing, start: sidecars };
    if (newest !== undefined && policy === 'Never') return { ...nothing, finished: true };
    return { ...nothing, start: [...sidecars, startOf(container)] };
  }

  const start: Start[] = [...sidecars];
  const kill: Kill[] = [];
  let alive = 0;
  for (const container of pod.spec.containers) {
    const newest = newestOf(container);
    if (newest !== undefined && isRunning(newest)) {
      alive += 1;
      const message = reasonToKill(container, newest, facts);
      if (message !== undefined) kill.push({ container, id: newest.id, message });
    } else if (
      newest === undefined ||
      newest.state === 'CONTAINER_CREATED' ||
      restarts(policy, newest)
    ) {
      start.push(startOf(container));
    }
  }
  const waiting = start.some(({ container }) => pod.spec.containers.includes(container));
  return { start, kill, finished: alive === 0 && !waiting };
}

const restarts = (policy: string, { exitCode }: ContainerStatus): boolean =>
  policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);

function reasonToKill(
  container: Container,
  status: ContainerStatus,
  facts: PlanFacts,
): string | undefined {
  const hash = status.annotations[annotations.hash];
  if (hash !== undefined && hash !== containerHash(container)) {
    return `Container ${container.name} definition changed, will be restarted`;
  }
  return facts.isUnhealthy(status.id);
}
