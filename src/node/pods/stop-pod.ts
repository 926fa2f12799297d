import type { Container, Pod } from '../../api/core/v1/pod.ts';
import { maxTimerMs } from '../../machinery/loop.ts';
import type { ContainerStatus } from '../runtime/runtime.ts';
import { runHook } from './lifecycle.ts';
import { fieldPathOf } from '../field-path.ts';
import { isRunning, type PodRuntimeState } from './runtime-state.ts';
import type { WorkerServices } from './worker-context.ts';

export const graceSecondsOf = ({ spec }: Pod): number => spec.terminationGracePeriodSeconds ?? 30;

/** Ends one container: preStop within the grace, then SIGTERM, then SIGKILL. */
export async function stopContainer(
  pod: Pod,
  container: Container | undefined,
  status: ContainerStatus,
  graceSeconds: number,
  services: WorkerServices,
): Promise<void> {
  const { runtime, recorder } = services;
  const endsAt = performance.now() + graceSeconds * 1000;
  const hook = container?.lifecycle?.preStop;
  if (container !== undefined && hook !== undefined && graceSeconds > 0) {
    const timeoutMs = Math.min(graceSeconds * 1000, maxTimerMs);
    const timer = new Promise<void>(resolve => setTimeout(resolve, timeoutMs).unref());
    const run = runHook(hook, {
      runtime,
      container,
      containerId: status.id,
      podIp: pod.status?.podIP ?? '',
      timeoutMs,
    }).catch(() => {
      recorder.event(
        pod,
        'Warning',
        'FailedPreStopHook',
        'PreStopHook failed',
        fieldPathOf(pod, container.name),
      );
    });
    await Promise.race([run, timer]);
  }
  const left = Math.max(0, Math.ceil((endsAt - performance.now()) / 1000));
  await runtime.stopContainer(status.id, left);
}

/** Ends whatever runs of a pod: the containers together, sidecars after them. */
export async function stopContainers(
  pod: Pod,
  state: PodRuntimeState,
  graceSeconds: number,
  services: WorkerServices,
): Promise<void> {
  const specs = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  const running = [...state.containers].flatMap(([name, list]) => {
    const status = list.find(isRunning);
    return status === undefined
      ? []
      : [{ status, container: specs.find(each => each.name === name), name }];
  });
  const sidecar = ({ container }: { container: Container | undefined }): boolean =>
    (pod.spec.initContainers ?? []).some(
      each => each === container && each.restartPolicy === 'Always',
    );
  const stop = async ({ status, container, name }: (typeof running)[number]): Promise<void> => {
    services.recorder.event(
      pod,
      'Normal',
      'Killing',
      `Stopping container ${name}`,
      fieldPathOf(pod, name),
    );
    await stopContainer(pod, container, status, graceSeconds, services);
  };
  await Promise.all(running.filter(each => !sidecar(each)).map(stop));
  await Promise.all(running.filter(sidecar).map(stop));
}
