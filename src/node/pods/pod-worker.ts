import { rm } from 'node:fs/promises';
import path from 'node:path';
import { podResource, type Container, type Pod, type PodStatus } from '../../api/core/v1/pod.ts';
import { createBackoff } from '../../machinery/backoff.ts';
import { isStatusError } from '../../machinery/status.ts';
import { createProber } from '../probes/prober.ts';
import { VolumeSetupError } from '../volumes/volume-manager.ts';
import { toldStatuses } from './forgotten-container.ts';
import { writeHostsFile } from './hosts-file.ts';
import { fieldPathOf } from '../field-path.ts';
import { logDirectoryOf, podText, uidOf } from './names.ts';
import { isInUse, tellRemounted } from './remounted.ts';
import { planPod, type Start } from './plan.ts';
import {
  hasExited,
  isRunning,
  readRuntimeState,
  readySandbox,
  type PodRuntimeState,
} from './runtime-state.ts';
import { sandboxConfig } from './sandbox-config.ts';
import { startContainer, StartError, type StartRequest } from './start-container.ts';
import { podStatus, type Waiting } from './status.ts';
import { createStatusWriter } from './status-writer.ts';
import { stopContainer, stopContainers } from './stop-pod.ts';
import { readTerminationMessage } from './termination-message.ts';
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

const restartDelayMs = { initialMs: 10_000, maxMs: 300_000 };
const sandboxDelayMs = { initialMs: 1000, maxMs: 60_000 };
const mountDelayMs = { initialMs: 500, maxMs: 122_000 };
/** What is killed without a word from the API gets at least this. */
const forcedGraceSeconds = 2;
/** The longest that setTimeout can count. */
const maxTimerMs = 2 ** 31 - 1;

export function createPodWorker(first: Pod, services: WorkerServices): PodWorker {
  const { runtime, recorder, volumes, references, client, log } = services;
  const uid = uidOf(first);
  const podDir = path.join(services.dataDir, 'pods', uid);
  const waiting = new Map<string, Waiting>();
  const notBefore = new Map<string, number>();
  const restarts = createBackoff(restartDelayMs);
  const mounts = createBackoff(mountDelayMs);
  const sandboxes = createBackoff(sandboxDelayMs);
  /** Containers that were ended for another to take their place, whatever the restart policy. */
  const replaced = new Set<string>();
  const words = new Map<string, string>();
  const status = createStatusWriter(client, log);
  let pod = first;
  let deleted = false;
  let podIps: readonly string[] = first.status?.podIPs?.map(each => each.ip) ?? [];
  /** Id of the sandbox that these are the addresses of. */
  let addressed = '';
  /** Ids of sandboxes. */
  const stopped = new Set<string>();
  let ended: { reason: string; message: string } | undefined;
  let stopping: { graceSeconds: number; work: Promise<void> } | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  /** While volumes are missing: when it is worth another look. */
  let mountAt: number | undefined;
  let objectChanges = 0;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let wakeAt = Infinity;
  let resolveGone: () => void;
  const gone = new Promise<void>(resolve => (resolveGone = resolve));
  const prober = createProber({
    runtime,
    onChange: () => worker.wake(),
    onFailure: (container, message) =>
      recorder.event(pod, 'Warning', 'Unhealthy', message, fieldPathOf(pod, container)),
  });

  /** The soonest that is asked for counts: each look asks again for what is still to come. */
  const wakeIn = (ms: number): void => {
    const at = Date.now() + ms;
    if (closed || at >= wakeAt) return;
    clearTimeout(timer);
    wakeAt = at;
    timer = setTimeout(
      () => {
        wakeAt = Infinity;
        worker.wake();
      },
      Math.min(ms, maxTimerMs),
    );
  };

  const sync = async (): Promise<void> => {
    const state = await readRuntimeState(runtime, uid);
    for (const id of state.unborn) await runtime.removeContainer(id);
    await rememberWords(state);
    const sandbox = readySandbox(state);
    if (sandbox !== undefined) await learnAddresses(sandbox.id);
    probe(state);
    if (deleted || pod.metadata.deletionTimestamp !== undefined) return end(state);
    if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return retire(state);
    if (overdue())
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
    if (!(await mount(state))) return;
    if (sandbox !== undefined) return act(sandbox.metadata.attempt, state);
    const attempt = await makeSandbox(state);
    if (attempt !== undefined) await act(attempt, await readRuntimeState(runtime, uid));
  };

  /** @returns whether every volume is there */
  const mount = async (state: PodRuntimeState): Promise<boolean> => {
    if (mountAt !== undefined && mountAt > Date.now()) {
      tell(state);
      wakeIn(mountAt - Date.now());
      return false;
    }
    const seen = objectChanges;
    try {
      for (const volume of await volumes.mountAll(pod))
        if (isInUse(pod, volume, state)) tellRemounted(recorder, pod, volume);
      mounts.reset(uid);
      mountAt = undefined;
      return true;
    } catch (error) {
      if (!(error instanceof VolumeSetupError)) throw error;
      for (const { volume, message } of error.failures) {
        recorder.event(
          pod,
          'Warning',
          'FailedMount',
          `MountVolume.SetUp failed for volume ${JSON.stringify(volume)} : ${message}`,
        );
      }
      tell(state);
      // What was missing may have come while it was looked for.
      const delayMs = objectChanges === seen ? mounts.next(uid) : 0;
      mountAt = Date.now() + delayMs;
      wakeIn(delayMs);
      return false;
    }
  };

  /** @returns which attempt it is, once it is there */
  const makeSandbox = async (state: PodRuntimeState): Promise<number | undefined> => {
    const [old] = state.sandboxes;
    if (old !== undefined) {
      if (planPod(pod, state, planFacts).finished) {
        await finish(state);
        return undefined;
      }
      recorder.event(
        pod,
        'Normal',
        'SandboxChanged',
        'Pod sandbox changed, it will be killed and re-created.',
      );
      await stopContainers(pod, state, graceSeconds(), services);
      await stopSandboxes(state);
    }
    const waitMs = sandboxes.remaining(uid);
    if (waitMs > 0) {
      wakeIn(waitMs);
      return undefined;
    }
    const attempt = old === undefined ? 0 : old.metadata.attempt + 1;
    try {
      await learnAddresses(await runtime.runPodSandbox(sandboxConfig(pod, attempt)));
      sandboxes.reset(uid);
      return attempt;
    } catch (error) {
      recorder.event(
        pod,
        'Warning',
        'FailedCreatePodSandBox',
        `Failed to create pod sandbox: ${(error as Error).message}`,
      );
      wakeIn(sandboxes.next(uid));
      return undefined;
    }
  };

  /** What the API has may be a sandbox's before this one. */
  const learnAddresses = async (sandboxId: string): Promise<void> => {
    if (addressed === sandboxId) return;
    podIps =
      pod.spec.hostNetwork === true
        ? [services.hostIp]
        : (await runtime.podSandboxStatus(sandboxId)).ips;
    addressed = sandboxId;
  };

  const graceSeconds = (): number => pod.spec.terminationGracePeriodSeconds ?? 30;

  const planFacts = {
    isUnhealthy: (id: string) => prober.isUnhealthy(id),
    isStarted: prober.isStarted,
    isReplaced: (id: string) => replaced.has(id),
  };

  const act = async (attemptOfSandbox: number, state: PodRuntimeState): Promise<void> => {
    const plan = planPod(pod, state, planFacts);
    await Promise.all(
      plan.kill.map(async ({ container, id, message, replaces }) => {
        if (replaces) replaced.add(id);
        recorder.event(pod, 'Normal', 'Killing', message, fieldPathOf(pod, container.name));
        const found = state.containers.get(container.name)?.find(each => each.id === id);
        const grace = container.livenessProbe?.terminationGracePeriodSeconds ?? graceSeconds();
        if (found !== undefined) await stopContainer(pod, container, found, grace, services);
        restarts.reset(container.name);
        again = true;
      }),
    );
    const due = plan.start.filter(isDue);
    if (due.length > 0) {
      const shared = {
        pod,
        sandboxId: addressed,
        sandbox: sandboxConfig(pod, attemptOfSandbox),
        podIps,
        hostsFile: await writeHostsFile(podDir, pod, podIps),
      };
      await Promise.all(
        due.map(({ container, attempt }) => start({ ...shared, container, attempt })),
      );
      const after = await readRuntimeState(runtime, uid);
      probe(after);
      tell(after);
      await removeOld(after);
      return;
    }
    if (plan.finished) await finish(state);
    else tell(state);
  };

  /** Whether a start may be tried now; else says why it waits. */
  const isDue = ({ container, previous }: Start): boolean => {
    const at = notBefore.get(startKey(container)) ?? 0;
    if (at > Date.now()) {
      wakeIn(at - Date.now());
      return false;
    }
    if (previous === undefined || !hasExited(previous)) return true;
    const delayMs = restarts.delay(container.name);
    const leftMs = Number(previous.finishedAt / 1_000_000n) + delayMs - Date.now();
    if (delayMs === 0 || leftMs <= 0) {
      restarts.next(container.name);
      return true;
    }
    waiting.set(container.name, {
      reason: 'CrashLoopBackOff',
      message: `back-off ${goSeconds(delayMs)} restarting failed container=${container.name} pod=${podText(pod)}`,
    });
    recorder.event(
      pod,
      'Warning',
      'BackOff',
      `Back-off restarting failed container ${container.name} in pod ${podText(pod)}`,
      fieldPathOf(pod, container.name),
    );
    wakeIn(leftMs);
    return false;
  };

  const start = async (request: StartRequest): Promise<void> => {
    const { name } = request.container;
    const key = startKey(request.container);
    const seen = objectChanges;
    try {
      await startContainer(request, services);
      waiting.delete(name);
      notBefore.delete(key);
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      waiting.set(name, error.waiting);
      const changed = objectChanges !== seen;
      if (changed) services.images.resetBackoff(uid);
      const retryMs = changed ? 0 : error.retryMs;
      notBefore.set(key, Date.now() + retryMs);
      wakeIn(retryMs);
    }
  };

  const tell = (state: PodRuntimeState): PodStatus => {
    const told = podStatus({
      pod,
      state,
      facts: {
        waiting,
        isReady: prober.isReady,
        isStarted: prober.isStarted,
        terminationMessage: id => words.get(id) ?? '',
        runtimeName: services.runtimeName,
      },
      podIps,
      hostIp: services.hostIp,
      sandboxReady: readySandbox(state) !== undefined,
      ended,
    });
    status.write(pod, told);
    return told;
  };

  const probe = (state: PodRuntimeState): void => {
    const live: string[] = [];
    for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
      const newest = state.containers.get(container.name)?.[0];
      if (newest === undefined || !isRunning(newest)) continue;
      live.push(newest.id);
      prober.watch({
        container,
        containerId: newest.id,
        startedAtMs: Number(newest.startedAt / 1_000_000n),
        podIp: podIps[0] ?? '127.0.0.1',
        before: foundBefore(newest.id),
      });
    }
    prober.keep(live);
  };

  const foundBefore = (id: string): { started: boolean; ready: boolean } | undefined => {
    const found = toldStatuses(pod).find(
      ({ containerID = '' }) => containerID === `${services.runtimeName}://${id}`,
    );
    return found && { started: found.started === true, ready: found.ready };
  };

  const rememberWords = async (state: PodRuntimeState): Promise<void> => {
    for (const list of state.containers.values()) {
      for (const each of list) {
        if (hasExited(each) && !words.has(each.id))
          words.set(each.id, await readTerminationMessage(each));
      }
    }
  };

  /** One ended container a name is kept, for `logs --previous`, and the sandboxes of those that are. */
  const removeOld = async (state: PodRuntimeState): Promise<void> => {
    const inUse = new Set([state.sandboxes[0]?.id, addressed]);
    for (const list of state.containers.values()) {
      for (const { podSandboxId } of list.slice(0, 2)) inUse.add(podSandboxId);
      for (const { id, logPath } of list.slice(2)) {
        await runtime.removeContainer(id);
        words.delete(id);
        if (logPath !== '') await rm(logPath, { force: true });
      }
    }
    for (const { id } of state.sandboxes) if (!inUse.has(id)) await runtime.removePodSandbox(id);
  };

  const overdue = (): boolean => {
    const { activeDeadlineSeconds } = pod.spec;
    const { startTime } = pod.status ?? {};
    if (activeDeadlineSeconds === undefined || startTime === undefined) return false;
    const leftMs = Date.parse(startTime) + activeDeadlineSeconds * 1000 - Date.now();
    if (leftMs > 0) wakeIn(leftMs);
    return leftMs <= 0;
  };

  /** Nothing shall run any more; sidecars may still. */
  const finish = async (state: PodRuntimeState): Promise<void> => {
    await stopContainers(pod, state, graceSeconds(), services);
    const after = await readRuntimeState(runtime, uid);
    await rememberWords(after);
    await retire(after);
  };

  /** All containers are through: the sandbox and the volumes go, what they said stays. */
  const retire = async (state: PodRuntimeState): Promise<void> => {
    tell(state);
    await release(state);
  };

  const release = async (state: PodRuntimeState): Promise<void> => {
    await stopSandboxes(state);
    references.unregisterPod(uid);
    await volumes.unmountAll(uid);
  };

  /** Those that died too: they keep their network until they are stopped. */
  const stopSandboxes = async ({ sandboxes }: PodRuntimeState): Promise<void> => {
    for (const { id } of sandboxes) {
      if (stopped.has(id)) continue;
      await runtime.stopPodSandbox(id);
      stopped.add(id);
    }
  };

  /** The way out of a pod that is to be deleted, or that the API has forgotten. */
  const end = async (state: PodRuntimeState): Promise<void> => {
    const grace = deleted
      ? Math.min(forcedGraceSeconds, pod.spec.terminationGracePeriodSeconds ?? forcedGraceSeconds)
      : (pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30);
    const alive = [...state.containers.values()].some(list => list.some(isRunning));
    if (alive) {
      // A second request with a shorter grace overtakes the first.
      if (stopping === undefined || grace < stopping.graceSeconds) {
        const work = stopContainers(pod, state, grace, services)
          .catch((error: unknown) =>
            log.warn('A pod was not stopped', { pod: podText(pod), error: String(error) }),
          )
          .finally(() => {
            stopping = undefined;
            worker.wake();
          });
        stopping = { graceSeconds: grace, work };
        tell(state);
      }
      return;
    }
    prober.close();
    tell(state);
    await status.flush();
    await release(state);
    await forget(state);
    if (!deleted) {
      const { namespace = '', name = '' } = pod.metadata;
      await client
        .resource(podResource)
        .delete(namespace, name, { gracePeriodSeconds: 0, uid })
        .catch((error: unknown) => {
          if (!isStatusError(error, 'NotFound') && !isStatusError(error, 'Conflict')) throw error;
        });
    }
    closed = true;
    clearTimeout(timer);
    services.images.forget(uid);
    resolveGone();
  };

  /** Removes what is left in the runtime and on the disk. */
  const forget = async (state: PodRuntimeState): Promise<void> => {
    for (const list of state.containers.values()) {
      for (const { id } of list) await runtime.removeContainer(id);
    }
    for (const { id } of state.sandboxes) await runtime.removePodSandbox(id);
    await rm(logDirectoryOf(pod), { recursive: true, force: true });
    await rm(podDir, { recursive: true, force: true });
  };

  const run = async (): Promise<void> => {
    do {
      again = false;
      try {
        await sync();
      } catch (error) {
        log.warn('A pod was not synced', { pod: podText(pod), error: (error as Error).message });
        wakeIn(mounts.next(uid));
      }
    } while (again && !closed);
  };

  const worker: PodWorker = {
    gone,
    update(next) {
      if (next === undefined) deleted = true;
      else pod = next;
      worker.wake();
    },
    wake() {
      if (closed) return;
      if (running !== undefined) {
        again = true;
        return;
      }
      running = run().finally(() => {
        running = undefined;
        // A wake between the last look and here must not be lost.
        if (again) worker.wake();
      });
    },
    retryNow() {
      objectChanges += 1;
      // A pod that waits for nothing is left alone: its volumes follow by themselves.
      if (mountAt === undefined && notBefore.size === 0) return;
      notBefore.clear();
      if (mountAt !== undefined) mountAt = 0;
      mounts.reset(uid);
      services.images.resetBackoff(uid);
      worker.wake();
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      prober.close();
      await running;
      await status.flush();
    },
    async report() {
      const state = await readRuntimeState(runtime, uid);
      await rememberWords(state);
      tell(state);
      await status.flush();
    },
  };
  worker.wake();
  return worker;
}

/** A delay is of one image: another that the spec names since is tried at once. */
const startKey = ({ name, image = '' }: Container): string => `${name} ${image}`;

/** `10s`, `2m40s`. */
function goSeconds(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
