import type { Container, Pod } from '../../api/core/v1/pod.ts';
import { createBackoff } from '../../machinery/backoff.ts';
import { maxTimerMs } from '../../machinery/loop.ts';
import { fieldPathOf } from '../field-path.ts';
import { runHook } from './lifecycle.ts';
import { podText } from './names.ts';
import { isRunning, type PodContainer, type PodRuntimeState } from './runtime-state.ts';
import { isSidecar } from './sidecar.ts';
import type { PartContext } from './worker-context.ts';

/** Stops the containers of one pod. A stop runs in the background, and wakes the worker when it is over. */
export interface ContainerStops {
  /**
   * preStop within the grace period, then SIGTERM, then SIGKILL. A stop that is under way is left alone, unless it
   * would give the container more time. One that failed is repeated after a back-off; preStop runs once all the same.
   */
  stop(pod: Pod, request: StopRequest): void;
  /** The next step of stopping everything that runs: sidecars come after the others, the last of them first. */
  stopNext(pod: Pod, state: PodRuntimeState, graceSeconds: number): void;
}

export interface StopRequest {
  readonly container: Container | undefined;
  readonly status: PodContainer;
  readonly graceSeconds: number;
  /** Of the event `Killing`. */
  readonly message: string;
}

const retryDelayMs = { initialMs: 1000, maxMs: 60_000 };
/** kubelet's minimumGracePeriodInSeconds: what a container gets where preStop, or other containers, used up its time. */
const minGraceSeconds = 2;

export function createContainerStops({ services, wake, wakeIn }: PartContext): ContainerStops {
  const { runtime, recorder, log } = services;
  const backoff = createBackoff(retryDelayMs);
  /** By container id: the latest attempt. */
  const attempts = new Map<string, { readonly graceSeconds: number; isOver: boolean }>();
  const preStopHooks = new Map<string, Promise<void>>();
  const announced = new Set<string>();
  /** When the containers of a sandbox began to stop: they share the grace period. */
  const stopsSinceMs = new Map<string, number>();

  const runPreStop = (
    pod: Pod,
    { container, status }: StopRequest,
    timeoutMs: number,
  ): Promise<void> => {
    const hook = container?.lifecycle?.preStop;
    if (container === undefined || hook === undefined) return Promise.resolve();
    const known = preStopHooks.get(status.id);
    if (known !== undefined) return known;
    const running = runHook(hook, {
      runtime,
      container,
      containerId: status.id,
      podIp: pod.status?.podIP ?? '',
      timeoutMs,
    }).catch(() => {
      const fieldPath = fieldPathOf(pod, container.name);
      recorder.event(pod, 'Warning', 'FailedPreStopHook', 'PreStopHook failed', fieldPath);
    });
    preStopHooks.set(status.id, running);
    return running;
  };

  const attempt = async (pod: Pod, request: StopRequest): Promise<void> => {
    const { graceSeconds, status } = request;
    const startMs = performance.now();
    if (graceSeconds > 0) {
      const timeoutMs = Math.min(graceSeconds * 1000, maxTimerMs);
      await within(timeoutMs, runPreStop(pod, request, timeoutMs));
    }
    await runtime.stopContainer(status.id, remainingGrace(graceSeconds, startMs));
  };

  const announce = (pod: Pod, { status, message }: StopRequest): void => {
    if (announced.has(status.id)) return;
    announced.add(status.id);
    const fieldPath = fieldPathOf(pod, status.metadata.name);
    recorder.event(pod, 'Normal', 'Killing', message, fieldPath);
  };

  const reportFailure = (pod: Pod, { status }: StopRequest, error: unknown): void => {
    const { message } = error as Error;
    const { name } = status.metadata;
    log.warn('Container stop failed', { pod: podText(pod), container: name, error: message });
    const text = `failed to "KillContainer" for ${JSON.stringify(name)} with KillContainerError: ${JSON.stringify(message)}`;
    recorder.event(pod, 'Warning', 'FailedKillPod', `error killing pod: ${text}`);
  };

  const stop: ContainerStops['stop'] = (pod, request) => {
    const { id } = request.status;
    const last = attempts.get(id);
    if (last !== undefined && request.graceSeconds >= last.graceSeconds) {
      if (!last.isOver) return;
      const waitMs = backoff.remaining(id);
      if (waitMs > 0) {
        wakeIn(waitMs);
        return;
      }
    }
    announce(pod, request);
    const own = { graceSeconds: request.graceSeconds, isOver: false };
    attempts.set(id, own);
    void attempt(pod, request)
      .catch((error: unknown) => reportFailure(pod, request, error))
      .finally(() => {
        own.isOver = true;
        // Whether it failed, or succeeded and the container runs all the same: the next attempt has to wait.
        backoff.next(id);
        wake();
      });
  };

  return {
    stop,
    stopNext(pod, state, graceSeconds) {
      const running = runningContainers(pod, state);
      const others = running.filter(({ container }) => !isSidecar(pod, container));
      const next = others.length > 0 ? others : running.slice(-1);
      for (const { container, status, name } of next) {
        const sinceMs = stopsSinceMs.get(status.podSandboxId) ?? performance.now();
        stopsSinceMs.set(status.podSandboxId, sinceMs);
        const left = others.length > 0 ? graceSeconds : remainingGrace(graceSeconds, sinceMs);
        const message = `Stopping container ${name}`;
        stop(pod, { container, status, graceSeconds: left, message });
      }
    },
  };
}

/** What is left of a grace period, and the minimum where it is used up. */
function remainingGrace(graceSeconds: number, sinceMs: number): number {
  const leftSeconds = Math.ceil(graceSeconds - (performance.now() - sinceMs) / 1000);
  return Math.max(leftSeconds, Math.min(graceSeconds, minGraceSeconds));
}

export const graceSecondsOf = ({ spec }: Pod): number => spec.terminationGracePeriodSeconds ?? 30;

interface RunningContainer {
  readonly name: string;
  readonly container: Container | undefined;
  readonly status: PodContainer;
}

/** In the order of the spec, init containers first. */
function runningContainers(pod: Pod, state: PodRuntimeState): RunningContainer[] {
  const specs = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  const order = (name: string): number => specs.findIndex(each => each.name === name);
  return [...state.containers]
    .flatMap(([name, list]) =>
      list
        .filter(isRunning)
        .map(status => ({ name, container: specs.find(each => each.name === name), status })),
    )
    .toSorted((a, b) => order(a.name) - order(b.name));
}

/** Resolves with the work, or after the time. */
async function within(timeoutMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>(resolve => {
    timer = setTimeout(resolve, timeoutMs).unref();
  });
  await Promise.race([work, timeout]);
  clearTimeout(timer);
}
