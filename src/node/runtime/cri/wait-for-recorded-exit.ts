import { setTimeout as delay } from 'node:timers/promises';
import type { Runtime } from '../runtime.ts';

export type Inspector = Pick<Runtime, 'containerStatus' | 'podSandboxStatus'>;

/** On a busy machine a write of containerd's may take many seconds, and no event reports its end. */
const recordedWithinMs = 60_000;
const maxPollMs = 500;

/**
 * containerd reports the exit of a task before its CRI plugin has recorded it. Resolves when it has, or after a
 * minute.
 * @param id of a container, or of a sandbox, which is a task too
 */
export async function waitForRecordedExit(inspector: Inspector, id: string): Promise<void> {
  const deadline = performance.now() + recordedWithinMs;
  for (
    let waitMs = 2;
    performance.now() < deadline && (await isRunning(inspector, id));
    waitMs *= 2
  )
    await delay(Math.min(waitMs, maxPollMs));
}

async function isRunning(inspector: Inspector, id: string): Promise<boolean> {
  try {
    return (await inspector.containerStatus(id)).state === 'CONTAINER_RUNNING';
  } catch {
    return inspector.podSandboxStatus(id).then(
      status => status.state === 'SANDBOX_READY',
      () => false,
    );
  }
}
