import { podResource, type Pod, type PodStatus } from '../../api/core/v1/pod.ts';
import { createBackoff } from '../../machinery/backoff.ts';
import { createLoop } from '../../machinery/loop.ts';
import { isStatusError } from '../../machinery/status.ts';
import { fieldPathOf } from '../field-path.ts';
import { createContainerStarts } from './container-starts.ts';
import { writeHostsFile } from './hosts-file.ts';
import { createLastWords } from './last-words.ts';
import { podFolder, podText, uidOf } from './names.ts';
import { planPod, type Kill, type Plan, type Start } from './plan.ts';
import { createPodProbes } from './pod-probes.ts';
import { createPodSandboxes } from './pod-sandboxes.ts';
import { createPodVolumes } from './pod-volumes.ts';
import { removeAll, removeOld } from './remove-containers.ts';
import {
  isRunning,
  readRuntimeState,
  readySandbox,
  type PodRuntimeState,
} from './runtime-state.ts';
import { sandboxConfig } from './sandbox-config.ts';
import { podStatus } from './status.ts';
import { createStatusWriter } from './status-writer.ts';
import { graceSecondsOf, stopContainer, stopContainers } from './stop-pod.ts';
import type { WorkerServices } from './worker-context.ts';

/** Brings one pod to what is wanted of it. Runs again whenever it is woken, never twice at once. */
export interface PodWorker {
  /** The newest wanted state; undefined once the API has forgotten the pod. */
  update(pod: Pod | undefined): void;
  wake(): void;
  /** An object that the pod names has changed: what may have waited for that is tried again at once. */
  retryNow(): void;
  /** Resolves when nothing of the pod is left here. */
  readonly gone: Promise<void>;
  /** Stops working; what runs goes on. */
  close(): Promise<void>;
  /** After `close`: tells the API once more how it stands. */
  report(): Promise<void>;
}

const failureDelayMs = { initialMs: 500, maxMs: 122_000 };
/** What is killed without a word from the API gets at least this. */
const forcedGraceSeconds = 2;

export function createPodWorker(first: Pod, services: WorkerServices): PodWorker {
  const { runtime, recorder, references, client, log } = services;
  const uid = uidOf(first);
  let pod = first;
  let deleted = false;
  let ended: { reason: string; message: string } | undefined;
  let rejected = false;
  let stopping: { readonly graceSeconds: number } | undefined;
  let resolveGone: () => void;
  const gone = new Promise<void>(resolve => (resolveGone = resolve));
  /** Containers that were ended for another to take their place, whatever the restart policy. */
  const replaced = new Set<string>();

  const failures = createBackoff(failureDelayMs);
  const loop = createLoop(
    async () => {
      try {
        await sync();
        failures.reset(uid);
      } catch (error) {
        log.warn('A pod was not synced', { pod: podText(pod), error: (error as Error).message });
        loop.wakeIn(failures.next(uid));
      }
    },
    { log, operation: 'pod sync' },
  );
  const context = { uid, services, wakeIn: loop.wakeIn };
  const podVolumes = createPodVolumes(context);
  const sandboxes = createPodSandboxes(context, first.status?.podIPs?.map(each => each.ip) ?? []);
  const starts = createContainerStarts(context);
  const probes = createPodProbes(first, services, loop.wake);
  const words = createLastWords();
  const status = createStatusWriter(client, log);

  const sync = async (): Promise<void> => {
    const state = await readRuntimeState(runtime, uid);
    for (const id of state.unborn) await runtime.removeContainer(id);
    await words.read(state);
    const sandbox = readySandbox(state);
    if (sandbox !== undefined) await sandboxes.learnAddresses(pod, sandbox.id);
    probe(state);
    if (deleted || pod.metadata.deletionTimestamp !== undefined) return end(state);
    if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return retire(state);
    if (ended === undefined) await decideAdmission();
    if (ended === undefined && overdue())
      ended = {
        reason: 'DeadlineExceeded',
        message: 'Pod was active on the node longer than the specified deadline',
      };
    if (ended !== undefined) return finish(state);
    references.registerPod(pod);
    if (sandbox === undefined) {
      const { phase } = tell(state);
      // What ran and is gone for good is over, if it never restarts.
      if (phase === 'Succeeded' || phase === 'Failed') return finish(state);
    }
    if (!(await podVolumes.mount(pod, state))) return void tell(state);
    if (sandbox !== undefined) return act(sandbox.metadata.attempt, state);
    if (state.sandboxes.length > 0 && plan(state).finished) return finish(state);
    const attempt = await sandboxes.make(pod, state);
    if (attempt !== undefined) await act(attempt, await readRuntimeState(runtime, uid));
  };

  const decideAdmission = async (): Promise<void> => {
    const rejection = await services.admission.admit(pod);
    if (rejection === undefined) return;
    const { reason, message } = rejection;
    rejected = true;
    ended = { reason, message: `Pod was rejected: ${message}` };
    recorder.event(pod, 'Warning', reason, message);
  };

  const plan = (state: PodRuntimeState): Plan =>
    planPod(pod, state, {
      isUnhealthy: probes.isUnhealthy,
      isStarted: probes.isStarted,
      isReplaced: id => replaced.has(id),
    });

  const act = async (sandboxAttempt: number, state: PodRuntimeState): Promise<void> => {
    const { kill, start, finished } = plan(state);
    await Promise.all(kill.map(each => killContainer(each, state)));
    const due = start.filter(each => starts.isDue(pod, each));
    if (due.length > 0) return startContainers(due, sandboxAttempt);
    if (finished) await finish(state);
    else tell(state);
  };

  const killContainer = async (
    { container, id, message, replaces }: Kill,
    state: PodRuntimeState,
  ): Promise<void> => {
    if (replaces) replaced.add(id);
    recorder.event(pod, 'Normal', 'Killing', message, fieldPathOf(pod, container.name));
    const found = state.containers.get(container.name)?.find(each => each.id === id);
    const grace = container.livenessProbe?.terminationGracePeriodSeconds ?? graceSecondsOf(pod);
    if (found !== undefined) await stopContainer(pod, container, found, grace, services);
    starts.forgive(container.name);
    loop.wake();
  };

  const startContainers = async (due: readonly Start[], sandboxAttempt: number): Promise<void> => {
    const { podIps } = sandboxes;
    const shared = {
      pod,
      sandboxId: sandboxes.id,
      sandbox: sandboxConfig(pod, sandboxAttempt),
      podIps,
      hostsFile: await writeHostsFile(podFolder(services.dataDir, uid), pod, podIps),
    };
    await Promise.all(
      due.map(({ container, attempt }) => starts.start({ ...shared, container, attempt })),
    );
    const after = await readRuntimeState(runtime, uid);
    probe(after);
    tell(after);
    for (const id of await removeOld(services, after, sandboxes.id)) words.forget(id);
  };

  const tell = (state: PodRuntimeState): PodStatus => {
    const told = podStatus({
      pod,
      state,
      facts: {
        waiting: starts.waiting,
        isReady: probes.isReady,
        isStarted: probes.isStarted,
        terminationMessage: words.of,
        mountStatuses: services.volumes.mountStatuses,
        runtimeName: services.runtimeName,
      },
      podIps: sandboxes.podIps,
      hostIp: services.hostIp,
      sandboxReady: readySandbox(state) !== undefined,
      ended,
      rejected,
    });
    status.write(pod, told);
    return told;
  };

  const probe = (state: PodRuntimeState): void => probes.follow(pod, state, sandboxes.podIps[0]);

  const overdue = (): boolean => {
    const { activeDeadlineSeconds } = pod.spec;
    const { startTime } = pod.status ?? {};
    if (activeDeadlineSeconds === undefined || startTime === undefined) return false;
    const leftMs = Date.parse(startTime) + activeDeadlineSeconds * 1000 - Date.now();
    if (leftMs > 0) loop.wakeIn(leftMs);
    return leftMs <= 0;
  };

  /** Nothing shall run any more; sidecars may still. */
  const finish = async (state: PodRuntimeState): Promise<void> => {
    await stopContainers(pod, state, graceSecondsOf(pod), services);
    const after = await readRuntimeState(runtime, uid);
    await words.read(after);
    await retire(after);
  };

  /** All containers are through: the sandbox and the volumes go, what they said stays. */
  const retire = async (state: PodRuntimeState): Promise<void> => {
    tell(state);
    await release(state);
  };

  const release = async (state: PodRuntimeState): Promise<void> => {
    await sandboxes.stopAll(state);
    references.unregisterPod(uid);
    await services.volumes.unmountAll(uid);
  };

  /** The way out of a pod that is to be deleted, or that the API has forgotten. */
  const end = async (state: PodRuntimeState): Promise<void> => {
    const alive = [...state.containers.values()].some(list => list.some(isRunning));
    if (alive) return stopAlive(state);
    probes.close();
    tell(state);
    await status.flush();
    await release(state);
    await removeAll(services, pod, state);
    if (!deleted) await deleteFromApi();
    void loop.close();
    services.admission.forget(pod);
    services.images.forget(uid);
    resolveGone();
  };

  const stopAlive = (state: PodRuntimeState): void => {
    const grace = deleted
      ? Math.min(forcedGraceSeconds, pod.spec.terminationGracePeriodSeconds ?? forcedGraceSeconds)
      : (pod.metadata.deletionGracePeriodSeconds ?? graceSecondsOf(pod));
    // A second request with a shorter grace overtakes the first.
    if (stopping !== undefined && grace >= stopping.graceSeconds) return;
    const own = { graceSeconds: grace };
    stopping = own;
    stopContainers(pod, state, grace, services)
      .catch((error: unknown) =>
        log.warn('A pod was not stopped', { pod: podText(pod), error: String(error) }),
      )
      .finally(() => {
        if (stopping === own) stopping = undefined;
        loop.wake();
      });
    tell(state);
  };

  const deleteFromApi = async (): Promise<void> => {
    const { namespace = '', name = '' } = pod.metadata;
    try {
      await client.resource(podResource).delete(namespace, name, { gracePeriodSeconds: 0, uid });
    } catch (error) {
      if (!isStatusError(error, 'NotFound') && !isStatusError(error, 'Conflict')) throw error;
    }
  };

  loop.wake();
  return {
    gone,
    wake: loop.wake,
    update(next) {
      if (next === undefined) deleted = true;
      else pod = next;
      loop.wake();
    },
    retryNow() {
      // A pod that waits for nothing is left alone: its volumes follow by themselves.
      const waits = [podVolumes.retryNow(), starts.retryNow()];
      if (waits.includes(true)) loop.wake();
    },
    async close() {
      probes.close();
      await loop.close();
      await status.flush();
    },
    async report() {
      const state = await readRuntimeState(runtime, uid);
      await words.read(state);
      tell(state);
      await status.flush();
    },
  };
}
