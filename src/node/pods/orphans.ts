import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { labels, logRoot, podFolder } from './names.ts';
import type { WorkerServices } from './worker-context.ts';

type Services = Pick<WorkerServices, 'runtime' | 'volumes' | 'dataDir' | 'log'>;

/** As the kubelet gives to what it finds running and knows nothing of. */
const graceSeconds = 1;

/**
 * Ends what pods have left that were deleted while no agent ran: containers, sandboxes, volumes, logs.
 * @param isWanted asked of each pod when its turn comes: pods come while others are ended
 * @returns whether nothing is left
 */
export async function endOrphans(
  services: Services,
  isWanted: (podUid: string) => boolean,
): Promise<boolean> {
  let clean = true;
  for (const uid of await podUidsHere(services)) {
    if (isWanted(uid)) continue;
    try {
      await removePod(services, uid);
    } catch (error) {
      clean = false;
      services.log.warn('A pod that was deleted is still here', { uid, error: String(error) });
    }
  }
  return clean;
}

/** Of pods that have something in the runtime or on the disk. */
async function podUidsHere({ runtime, volumes }: Services): Promise<Set<string>> {
  const [sandboxes, containers, folders] = await Promise.all([
    runtime.listPodSandboxes(),
    runtime.listContainers(),
    volumes.podUidsOnDisk(),
  ]);
  // What has no such label is somebody else's, in a runtime that Keylet shares.
  const labelled = [...sandboxes, ...containers].map(each => each.labels[labels.podUid] ?? '');
  return new Set([...labelled, ...folders].filter(uid => uid !== ''));
}

async function removePod(services: Services, podUid: string): Promise<void> {
  const { runtime, volumes, dataDir } = services;
  for (const { id } of await runtime.listContainers({ podUid })) {
    await runtime.stopContainer(id, graceSeconds);
    await runtime.removeContainer(id);
  }
  for (const { id } of await runtime.listPodSandboxes({ podUid })) {
    await runtime.stopPodSandbox(id);
    await runtime.removePodSandbox(id);
  }
  await volumes.unmountAll(podUid);
  for (const name of await readdir(logRoot).catch(() => [])) {
    if (name.endsWith(`_${podUid}`)) await rm(path.join(logRoot, name), { recursive: true });
  }
  // The last: by it a successor finds what a crash has left.
  await rm(podFolder(dataDir, podUid), { recursive: true, force: true });
}
