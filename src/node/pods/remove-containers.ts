import { rm } from 'node:fs/promises';
import type { Pod } from '../../api/core/v1/pod.ts';
import { logDirectoryOf, podFolder, uidOf } from './names.ts';
import type { PodRuntimeState } from './runtime-state.ts';
import type { WorkerServices } from './worker-context.ts';

/** Of each name the newest container and its predecessor are kept, for `logs --previous`. */
const kept = 2;

/**
 * Removes older containers, and sandboxes that have no container.
 * @param sandboxId kept in any case
 * @returns the ids of the removed containers
 */
export async function removeOld(
  { runtime }: WorkerServices,
  state: PodRuntimeState,
  sandboxId: string,
): Promise<string[]> {
  const inUse = new Set([state.sandboxes[0]?.id, sandboxId]);
  const gone: string[] = [];
  for (const list of state.containers.values()) {
    for (const { podSandboxId } of list.slice(0, kept)) inUse.add(podSandboxId);
    for (const { id, logPath } of list.slice(kept)) {
      await runtime.removeContainer(id);
      gone.push(id);
      if (logPath !== '') await rm(logPath, { force: true });
    }
  }
  for (const { id } of state.sandboxes) if (!inUse.has(id)) await runtime.removePodSandbox(id);
  return gone;
}

/** Removes what a terminated pod has in the runtime and on the disk. */
export async function removeAll(
  { runtime, dataDir }: WorkerServices,
  pod: Pod,
  state: PodRuntimeState,
): Promise<void> {
  for (const list of state.containers.values()) {
    for (const { id } of list) await runtime.removeContainer(id);
  }
  for (const { id } of state.sandboxes) await runtime.removePodSandbox(id);
  await rm(logDirectoryOf(pod), { recursive: true, force: true });
  await rm(podFolder(dataDir, uidOf(pod)), { recursive: true, force: true });
}
