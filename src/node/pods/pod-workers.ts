import type { Pod } from '../../api/core/v1/pod.ts';
import type { Informer } from '../../client/informer.ts';
import { annotations, labels, uidOf } from './names.ts';
import { createPodWorker, type PodWorker } from './pod-worker.ts';
import type { WorkerServices } from './worker-context.ts';

export interface PodWorkers {
  /** Ends every pod here, gracefully; the API keeps its objects. */
  stopAll(graceSeconds: number): Promise<void>;
  /** Stops working; what runs goes on. */
  close(): Promise<void>;
}

/** A lost event must not leave a pod behind for ever. */
const safetyNetMs = 5 * 60_000;

/** One worker a pod of this node, woken by the API, the runtime and what the pod refers to. */
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
    // A pod of the same name made anew comes as an update: its predecessor is gone.
    if (change.type === 'updated' && uidOf(change.old) !== uidOf(object))
      workers.get(uidOf(change.old))?.update(undefined);
    if (change.type === 'deleted') worker?.update(undefined);
    else if (worker === undefined) start(object);
    else worker.update(object);
  });

  const learn = async (containerId: string): Promise<string | undefined> => {
    const known = podOfContainer.get(containerId);
    if (known !== undefined) return known;
    const status = await runtime.containerStatus(containerId).catch(() => undefined);
    const uid = status?.labels[labels.podUid];
    if (uid !== undefined) podOfContainer.set(containerId, uid);
    return uid;
  };
  runtime.watch(event => {
    if (event.type === 'resync') {
      for (const worker of workers.values()) worker.wake();
      return;
    }
    void learn(event.containerId).then(uid => {
      if (event.type === 'container-deleted') podOfContainer.delete(event.containerId);
      // A sandbox' own task is in no list of containers: whoever it was, all may look.
      else if (uid === undefined) for (const worker of workers.values()) worker.wake();
      else workers.get(uid)?.wake();
    });
  }, signal);

  references.onChange(({ podUids }) => {
    for (const uid of podUids) workers.get(uid)?.retryNow();
  });
  volumes.onRefreshFailed((pod, { volume, message }) => {
    services.recorder.event(
      pod,
      'Warning',
      'FailedMount',
      `MountVolume.SetUp failed for volume ${JSON.stringify(volume)} : ${message}`,
    );
  });
  const safetyNet = setInterval(() => {
    for (const worker of workers.values()) worker.wake();
  }, safetyNetMs).unref();

  void pods.synced.then(() => {
    if (!signal.aborted)
      return endOrphans(pods, services).catch((error: unknown) =>
        log.warn('Orphans stay', { error: String(error) }),
      );
    return undefined;
  });

  const close = async (): Promise<void> => {
    clearInterval(safetyNet);
    await Promise.all([...workers.values()].map(worker => worker.close()));
  };
  return {
    close,
    async stopAll(graceSeconds) {
      await close();
      await stopEverything(services, graceSeconds);
    },
  };
}

/** What a pod that was deleted while no agent ran has left: containers, sandboxes, volumes. */
async function endOrphans(
  pods: Informer<Pod>,
  { runtime, volumes }: WorkerServices,
): Promise<void> {
  const wanted = new Set(pods.list().map(uidOf));
  for (const sandbox of await runtime.listPodSandboxes()) {
    if (wanted.has(sandbox.metadata.uid)) continue;
    await runtime.stopPodSandbox(sandbox.id);
    await runtime.removePodSandbox(sandbox.id);
  }
  for (const uid of await volumes.podUidsOnDisk())
    if (!wanted.has(uid)) await volumes.unmountAll(uid);
}

async function stopEverything(
  { runtime, volumes }: WorkerServices,
  graceSeconds: number,
): Promise<void> {
  const containers = await runtime.listContainers();
  const alive = containers.filter(each => each.state === 'CONTAINER_RUNNING');
  await Promise.all(
    alive.map(each => {
      const own = Number(each.annotations[annotations.podTerminationGracePeriod] ?? graceSeconds);
      return runtime.stopContainer(each.id, Math.min(own, graceSeconds));
    }),
  );
  const sandboxes = await runtime.listPodSandboxes();
  await Promise.all(
    sandboxes.map(async ({ id }) => {
      await runtime.stopPodSandbox(id);
      await runtime.removePodSandbox(id);
    }),
  );
  await Promise.all((await volumes.podUidsOnDisk()).map(uid => volumes.unmountAll(uid)));
}
