import { setTimeout as delay } from 'node:timers/promises';
import type { Runtime } from '../runtime.ts';

type Inspector = Pick<Runtime, 'containerStatus' | 'podSandboxStatus'>;

/** On a machine under load a write of containerd's may take many seconds: nothing tells of its end. */
const notedWithinMs = 60_000;
const maxLookMs = 500;

/** containerd tells the end of a task before its CRI plugin has noted it. Resolves when it has, or gives up. */
export async function exitNoted(adapter: Inspector, id: string): Promise<void> {
  const giveUpAt = performance.now() + notedWithinMs;
  for (let waitMs = 2; performance.now() < giveUpAt && (await runs(adapter, id)); waitMs *= 2)
    await delay(Math.min(waitMs, maxLookMs));
}

/** A container, or a sandbox: that is a task too. */
async function runs(adapter: Inspector, id: string): Promise<boolean> {
  try {
    return (await adapter.containerStatus(id)).state === 'CONTAINER_RUNNING';
  } catch {
    return adapter.podSandboxStatus(id).then(
      status => status.state === 'SANDBOX_READY',
      () => false,
    );
  }
}
