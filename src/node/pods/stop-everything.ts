import { rm } from 'node:fs/promises';
import { annotations, labels, podFolder } from './names.ts';
import type { WorkerServices } from './worker-context.ts';

/**
 * Stops every pod on this node; the API keeps the objects, and the disk their logs.
 * @param report called when nothing runs any more, while the runtime still knows how each container ended
 */
export async function stopEverything(
  { runtime, volumes, dataDir }: Pick<WorkerServices, 'runtime' | 'volumes' | 'dataDir'>,
  { graceSeconds, report }: { graceSeconds: number; report: () => Promise<void> },
): Promise<void> {
  const ours = (each: { labels: Record<string, string> }): boolean =>
    each.labels[labels.podUid] !== undefined;
  const containers = (await runtime.listContainers()).filter(ours);
  const alive = containers.filter(each => each.state === 'CONTAINER_RUNNING');
  await Promise.all(
    alive.map(each => {
      const own = Number(each.annotations[annotations.podTerminationGracePeriod] ?? graceSeconds);
      return runtime.stopContainer(each.id, Math.min(own, graceSeconds));
    }),
  );
  await report();
  const sandboxes = (await runtime.listPodSandboxes()).filter(ours);
  await Promise.all(
    sandboxes.map(async ({ id }) => {
      await runtime.stopPodSandbox(id);
      await runtime.removePodSandbox(id);
    }),
  );
  await Promise.all(
    (await volumes.podUidsOnDisk()).map(async uid => {
      await volumes.unmountAll(uid);
      await rm(podFolder(dataDir, uid), { recursive: true, force: true });
    }),
  );
}
