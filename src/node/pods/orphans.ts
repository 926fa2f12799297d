import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { labels, logRoot, podFolder } from './names.ts';
import type { WorkerServices } from './worker-context.ts';

type Services = Pick<WorkerServices, 'runtime' | 'volumes' | 'dataDir' | 'log'>;

/** The kubelet gives as much to running pods that it knows nothing about. */
const graceSeconds = 1;

/**
 * Removes what is left of pods that were deleted while no agent ran: containers, sandboxes, volumes, logs.
 * @param isWanted asked about each pod just before its removal: pods may be created meanwhile
 * @returns whether everything was removed
 */
export async function removeOrphans(
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
      services.log.warn('Could not remove a deleted pod', { uid, error: String(error) });
    }
  }
  return clean;
}

/** The UIDs of pods that have something in the runtime or on the disk. */
async function podUidsHere({ runtime, volumes }: Services): Promise<Set<string>> {
  const [sandboxes, containers, folders] = await Promise.all([
    runtime.listPodSandboxes(),
    runtime.listContainers(),
    volumes.podUidsOnDisk(),
  ]);
  // In a shared runtime, sandboxes and containers without this label belong to others.
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
  // Last, because a successor finds the rest by this folder after a crash.
  await rm(podFolder(dataDir, podUid), { recursive: true, force: true });
}
