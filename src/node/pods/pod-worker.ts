import type { Pod } from '../../api/core/v1/pod.ts';
import { createBackoff } from '../../machinery/backoff.ts';
import { createLoop } from '../../machinery/loop.ts';
import { podText, uidOf } from './names.ts';
import { createPodParts, type SyncRequest } from './pod-parts.ts';
import { readRuntimeState, readySandbox, type PodRuntimeState } from './runtime-state.ts';
import { isTerminal, syncPod } from './sync-pod.ts';
import { syncTerminatedPod } from './sync-terminated-pod.ts';
import { syncTerminatingPod } from './sync-terminating-pod.ts';
import type { PartContext, WorkerServices } from './worker-context.ts';
import { nextState, type WorkerEvent, type WorkerState } from './worker-state.ts';

/** Brings one pod to what the API asks for. Syncs whenever it is woken, never twice at once. */
export interface PodWorker {
  /** The newest object of the API; undefined once the API server has no such pod any more. */
  update(pod: Pod | undefined): void;
  wake(): void;
  /** An object that the pod names has changed: whatever may have waited for that is tried again at once. */
  retryNow(): void;
  /** Resolves when nothing of the pod is left on this node. */
  readonly gone: Promise<void>;
  /** Stops working; what runs goes on. */
  close(): Promise<void>;
  /** After `close`: reports the status once more. */
  report(): Promise<void>;
}

const failureDelayMs = { initialMs: 500, maxMs: 122_000 };

export function createPodWorker(first: Pod, services: WorkerServices): PodWorker {
  const { runtime, log } = services;
  const uid = uidOf(first);
  let pod = first;
  let state: WorkerState = { name: 'syncing' };
  /** Aborts when nothing may be started any more. */
  const starting = new AbortController();
  const replaced = new Set<string>();
  let resolveGone = (): void => undefined;
  const gone = new Promise<void>(resolve => (resolveGone = resolve));

  const failures = createBackoff(failureDelayMs);
  const loop = createLoop(
    async () => {
      try {
        await sync();
        failures.reset(uid);
      } catch (error) {
        log.warn('Pod sync failed', { pod: podText(pod), error: (error as Error).message });
        loop.wakeIn(failures.next(uid));
      }
    },
    { log, operation: 'pod sync' },
  );
  const context: PartContext = { uid, services, wake: loop.wake, wakeIn: loop.wakeIn };
  const parts = createPodParts(() => pod, context);

  const apply = (event: WorkerEvent): void => {
    const next = nextState(state, event);
    if (next === state) return;
    state = next;
    if (state.name !== 'syncing') starting.abort(new Error(`The pod is ${state.name}`));
    loop.wake();
  };

  const observe = async (): Promise<PodRuntimeState> => {
    const runtimeState = await readRuntimeState(runtime, uid);
    for (const id of runtimeState.neverStarted) await runtime.removeContainer(id);
    await parts.messages.read(runtimeState);
    const sandbox = readySandbox(runtimeState);
    if (sandbox !== undefined) await parts.sandboxes.learnAddresses(pod, sandbox.id);
    parts.probes.follow(pod, runtimeState, parts.sandboxes.podIps[0]);
    return runtimeState;
  };

  const syncInState = async (request: SyncRequest): Promise<WorkerEvent | undefined> => {
    switch (state.name) {
      case 'syncing':
        return syncPod({ ...request, replaced, signal: starting.signal });
      case 'terminating':
        return syncTerminatingPod(request, state);
      case 'terminated':
        return syncTerminatedPod(request, state);
      case 'finished':
        return undefined;
    }
  };

  const sync = async (): Promise<void> => {
    const event = await syncInState({ pod, state: await observe(), context, parts });
    if (event !== undefined) apply(event);
    if (state.name === 'finished') finish();
  };

  const finish = (): void => {
    parts.probes.close();
    // The loop waits for this very sync to end.
    void loop.close();
    services.admission.forget(pod);
    services.images.forget(uid);
    resolveGone();
  };

  const observePod = (next: Pod): void => {
    pod = next;
    if (pod.metadata.deletionTimestamp !== undefined) apply({ type: 'deletionRequested' });
    if (isTerminal(pod.status?.phase)) apply({ type: 'podCompleted' });
  };

  observePod(first);
  loop.wake();
  return {
    gone,
    wake: loop.wake,
    update(next) {
      if (next === undefined) apply({ type: 'podRemoved' });
      else observePod(next);
      loop.wake();
    },
    retryNow() {
      // A pod that waits for nothing is left alone: its volumes follow by themselves.
      const waits = [parts.volumes.retryNow(), parts.starts.retryNow()];
      if (waits.includes(true)) loop.wake();
    },
    async close() {
      parts.probes.close();
      starting.abort(new Error('The pod worker is closed'));
      await loop.close();
      await parts.reporter.flush();
    },
    async report() {
      const runtimeState = await readRuntimeState(runtime, uid);
      await parts.messages.read(runtimeState);
      parts.reporter.report(runtimeState);
      await parts.reporter.flush();
    },
  };
}
