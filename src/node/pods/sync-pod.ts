import type { Pod, PodStatus } from '../../api/core/v1/pod.ts';
import { graceSecondsOf } from './container-stops.ts';
import { writeHostsFile } from './hosts-file.ts';
import { podFolder } from './names.ts';
import { planPod, type Kill, type Plan, type Start } from './plan.ts';
import type { SyncRequest } from './pod-parts.ts';
import { removeOld } from './remove-containers.ts';
import { hasRunningContainer, readRuntimeState, readySandbox } from './runtime-state.ts';
import { sandboxConfig } from './sandbox-config.ts';
import type { PartContext } from './worker-context.ts';
import type { PodFailure, WorkerEvent } from './worker-state.ts';

export interface SyncPodRequest extends SyncRequest {
  /** Containers that were stopped so that others take their place, whatever the restart policy. */
  readonly replaced: Set<string>;
  /** Aborts when the pod is terminating. */
  readonly signal: AbortSignal;
}

/**
 * kubelet's syncPod: admission, deadline, volumes, sandbox, containers.
 * @returns what ends the pod, if something does
 */
export async function syncPod(request: SyncPodRequest): Promise<WorkerEvent | undefined> {
  const { pod, state, parts, context, signal } = request;
  const failure = (await rejectionOf(pod, context)) ?? deadlineExceeded(pod, context);
  if (failure !== undefined) return { type: 'podFailed', failure };
  context.services.references.registerPod(pod);
  const sandbox = readySandbox(state);
  if (sandbox === undefined) {
    const { phase } = parts.reporter.report(state);
    if (isTerminal(phase) || (state.sandboxes.length > 0 && plan(request).finished))
      return { type: 'podCompleted' };
    parts.sandboxes.reportChange(pod, state);
    // What still runs in a sandbox that died has to end before there is another.
    if (hasRunningContainer(state)) {
      parts.stops.stopNext(pod, state, graceSecondsOf(pod));
      return undefined;
    }
  }
  const mounted = await parts.volumes.mount(pod, state);
  if (signal.aborted) return undefined;
  if (!mounted) {
    parts.reporter.report(state);
    return undefined;
  }
  if (sandbox !== undefined) return syncContainers(request, sandbox.metadata.attempt);
  const attempt = await parts.sandboxes.make(pod, state);
  if (attempt === undefined || signal.aborted) return undefined;
  const withSandbox = await readRuntimeState(context.services.runtime, context.uid);
  return syncContainers({ ...request, state: withSandbox }, attempt);
}

async function rejectionOf(
  pod: Pod,
  { services: { admission, recorder } }: PartContext,
): Promise<PodFailure | undefined> {
  const rejection = await admission.admit(pod);
  if (rejection === undefined) return undefined;
  const { reason, message } = rejection;
  recorder.event(pod, 'Warning', reason, message);
  return { reason, message: `Pod was rejected: ${message}`, rejected: true };
}

function deadlineExceeded(pod: Pod, { wakeIn }: PartContext): PodFailure | undefined {
  const { activeDeadlineSeconds } = pod.spec;
  const { startTime } = pod.status ?? {};
  if (activeDeadlineSeconds === undefined || startTime === undefined) return undefined;
  const leftMs = Date.parse(startTime) + activeDeadlineSeconds * 1000 - Date.now();
  if (leftMs > 0) {
    wakeIn(leftMs);
    return undefined;
  }
  return {
    reason: 'DeadlineExceeded',
    message: 'Pod was active on the node longer than the specified deadline',
    rejected: false,
  };
}

export const isTerminal = (phase: PodStatus['phase']): boolean =>
  phase === 'Succeeded' || phase === 'Failed';

const plan = ({ pod, state, parts: { probes }, replaced }: SyncPodRequest): Plan =>
  planPod(pod, state, {
    unhealthy: probes.unhealthy,
    isStarted: probes.isStarted,
    isReplaced: id => replaced.has(id),
  });

async function syncContainers(
  request: SyncPodRequest,
  sandboxAttempt: number,
): Promise<WorkerEvent | undefined> {
  const { pod, state, parts } = request;
  const { kill, start, finished } = plan(request);
  for (const each of kill) killContainer(each, request);
  const due = start.filter(each => parts.starts.isDue(pod, each));
  if (due.length > 0) await startContainers(due, sandboxAttempt, request);
  else if (finished) return { type: 'podCompleted' };
  else parts.reporter.report(state);
  return undefined;
}

function killContainer(
  { container, id, message, replaces, graceSeconds }: Kill,
  { pod, state, parts, replaced }: SyncPodRequest,
): void {
  const status = state.containers.get(container.name)?.find(each => each.id === id);
  if (status === undefined) return;
  if (replaces) replaced.add(id);
  parts.stops.stop(pod, {
    container,
    status,
    graceSeconds: graceSeconds ?? graceSecondsOf(pod),
    message,
  });
  parts.starts.resetBackoff(container.name);
}

async function startContainers(
  due: readonly Start[],
  sandboxAttempt: number,
  { pod, parts, context, signal }: SyncPodRequest,
): Promise<void> {
  const { services, uid } = context;
  const { podIps, id: sandboxId } = parts.sandboxes;
  const shared = {
    pod,
    sandboxId,
    sandbox: sandboxConfig(pod, sandboxAttempt),
    podIps,
    hostsFile: await writeHostsFile(podFolder(services.dataDir, uid), pod, podIps),
    signal,
  };
  await Promise.all(
    due.map(({ container, attempt }) => parts.starts.start({ ...shared, container, attempt })),
  );
  if (signal.aborted) return;
  const after = await readRuntimeState(services.runtime, uid);
  parts.probes.follow(pod, after, podIps[0]);
  parts.reporter.report(after);
  for (const id of await removeOld(services, after, sandboxId)) parts.messages.forget(id);
}
