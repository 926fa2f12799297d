import type { Pod } from '../../api/core/v1/pod.ts';
import { createBackoff } from '../../machinery/backoff.ts';
import type { PodRuntimeState } from './runtime-state.ts';
import { sandboxConfig } from './sandbox-config.ts';
import type { PartContext } from './worker-context.ts';

/** The sandboxes of one pod, and its addresses. */
export interface PodSandboxes {
  /** The id of the sandbox that has these addresses; empty before the first. */
  readonly id: string;
  readonly podIps: readonly string[];
  /** The addresses in the API may be those of an earlier sandbox. */
  learnAddresses(pod: Pod, sandboxId: string): Promise<void>;
  /** Records an event where the sandbox died, once for each. */
  reportChange(pod: Pod, state: PodRuntimeState): void;
  /** Makes one in place of those that ended. @returns its attempt; undefined where that failed, or has to wait */
  make(pod: Pod, state: PodRuntimeState): Promise<number | undefined>;
  /** Also those that died: they hold their network until they are stopped. */
  stopAll(state: PodRuntimeState): Promise<void>;
}

const delayMs = { initialMs: 1000, maxMs: 60_000 };

export function createPodSandboxes(
  { uid, services, wakeIn }: PartContext,
  reportedIps: readonly string[],
): PodSandboxes {
  const { runtime, recorder, hostIp } = services;
  const backoff = createBackoff(delayMs);
  const stopped = new Set<string>();
  const changed = new Set<string>();
  let podIps = reportedIps;
  let currentId = '';

  const sandboxes: PodSandboxes = {
    get id() {
      return currentId;
    },
    get podIps() {
      return podIps;
    },
    async learnAddresses(pod, sandboxId) {
      if (currentId === sandboxId) return;
      podIps =
        pod.spec.hostNetwork === true ? [hostIp] : (await runtime.podSandboxStatus(sandboxId)).ips;
      currentId = sandboxId;
    },
    reportChange(pod, { sandboxes: [died] }) {
      if (died === undefined || changed.has(died.id)) return;
      changed.add(died.id);
      recorder.event(
        pod,
        'Normal',
        'SandboxChanged',
        'Pod sandbox changed, it will be killed and re-created.',
      );
    },
    async make(pod, state) {
      const [old] = state.sandboxes;
      await sandboxes.stopAll(state);
      const waitMs = backoff.remaining(uid);
      if (waitMs > 0) {
        wakeIn(waitMs);
        return undefined;
      }
      const attempt = old === undefined ? 0 : old.metadata.attempt + 1;
      try {
        await sandboxes.learnAddresses(
          pod,
          await runtime.runPodSandbox(sandboxConfig(pod, attempt)),
        );
        backoff.reset(uid);
        return attempt;
      } catch (error) {
        recorder.event(
          pod,
          'Warning',
          'FailedCreatePodSandBox',
          `Failed to create pod sandbox: ${(error as Error).message}`,
        );
        wakeIn(backoff.next(uid));
        return undefined;
      }
    },
    async stopAll(state) {
      for (const { id } of state.sandboxes) {
        if (stopped.has(id)) continue;
        await runtime.stopPodSandbox(id);
        stopped.add(id);
      }
    },
  };
  return sandboxes;
}
