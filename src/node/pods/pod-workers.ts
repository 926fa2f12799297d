import { setTimeout as delay } from 'node:timers/promises';
import type { Pod } from '../../api/core/v1/pod.ts';
import type { Informer } from '../../client/informer.ts';
import type { RuntimeEvent } from '../runtime/runtime.ts';
import { labels, uidOf } from './names.ts';
import { removeOrphans } from './orphans.ts';
import { createPodWorker, type PodWorker } from './pod-worker.ts';
import { stopEverything } from './stop-everything.ts';
import { reportFailedMount, reportRemounted } from './volume-events.ts';
import type { WorkerServices } from './worker-context.ts';

export interface PodWorkers {
  onRuntimeEvent(event: RuntimeEvent): void;
  /** Stops every pod on this node, gracefully; the API keeps its objects. */
  stopAll(graceSeconds: number): Promise<void>;
  /** Stops working; what runs goes on. */
  close(): Promise<void>;
}

/** A lost event must not leave a pod unsynced for ever. */
const safetyNetMs = 5 * 60_000;
/** The first delay; it doubles each time. */
const orphanRetryMs = 1000;

/** One worker per pod of this node, woken by the API, the runtime and the objects that the pod refers to. */
export function startPodWorkers(
  pods: Informer<Pod>,
  services: WorkerServices,
  signal: AbortSignal,
): PodWorkers {
  const { runtime, references, volumes, log } = services;
  const workers = new Map<string, PodWorker>();
  const podOfContainer = new Map<string, string>();

  const start = (pod: Pod): void => {
    const uid = uidOf(pod);
    const worker = createPodWorker(pod, services);
    workers.set(uid, worker);
    void worker.gone.then(() => {
      if (workers.get(uid) === worker) workers.delete(uid);
    });
  };
  pods.onChange(change => {
    const { object } = change;
    const worker = workers.get(uidOf(object));
    // A pod that was created anew under the same name comes as an update: its predecessor is gone.
    if (change.type === 'updated' && uidOf(change.old) !== uidOf(object))
      workers.get(uidOf(change.old))?.update(undefined);
    if (change.type === 'deleted') worker?.update(undefined);
    else if (worker === undefined) start(object);
    else worker.update(object);
  });

  const podUidOf = async (containerId: string): Promise<string | undefined> => {
    const known = podOfContainer.get(containerId);
    if (known !== undefined) return known;
    const status = await runtime.containerStatus(containerId).catch(() => undefined);
    const uid = status?.labels[labels.podUid];
    if (uid !== undefined) podOfContainer.set(containerId, uid);
    return uid;
  };
  const onRuntimeEvent = (event: RuntimeEvent): void => {
    if (event.type === 'lost') return;
    if (event.type === 'resync') {
      for (const worker of workers.values()) worker.wake();
      return;
    }
    void podUidOf(event.containerId).then(uid => {
      if (event.type === 'container-deleted') podOfContainer.delete(event.containerId);
      // The task of a sandbox is in no list of containers: any pod may be concerned.
      else if (uid === undefined) for (const worker of workers.values()) worker.wake();
      else workers.get(uid)?.wake();
    });
  };

  references.onChange(({ podUids }) => {
    for (const uid of podUids) workers.get(uid)?.retryNow();
  });
  volumes.onRefreshFailed((pod, failure) => reportFailedMount(services.recorder, pod, failure));
  volumes.onRemounted((pod, volume) => reportRemounted(services.recorder, pod, volume));
  const safetyNet = setInterval(() => {
    for (const worker of workers.values()) worker.wake();
  }, safetyNetMs).unref();

  const isWanted = (uid: string): boolean =>
    workers.has(uid) || pods.list().some(each => uidOf(each) === uid);
  const removeAllOrphans = async (): Promise<void> => {
    await pods.synced;
    let waitMs = orphanRetryMs;
    while (!signal.aborted && !(await removeOrphans(services, isWanted).catch(retryLater))) {
      await delay(waitMs, undefined, { signal }).catch(() => undefined);
      waitMs = Math.min(2 * waitMs, safetyNetMs);
    }
  };
  const retryLater = (error: unknown): boolean => {
    log.warn('Could not list orphaned pods', { error: String(error) });
    return false;
  };
  void removeAllOrphans();

  const close = async (): Promise<void> => {
    clearInterval(safetyNet);
    await Promise.all([...workers.values()].map(worker => worker.close()));
  };
  return {
    onRuntimeEvent,
    close,
    async stopAll(graceSeconds) {
      await close();
      const report = async (): Promise<void> => {
        await Promise.all([...workers.values()].map(worker => worker.report()));
      };
      await stopEverything(services, { graceSeconds, report });
    },
  };
}
