import type { Pod } from '../../api/core/v1/pod.ts';
import { createBackoff } from '../../machinery/backoff.ts';
import type { PodRuntimeState } from './runtime-state.ts';
import { sandboxConfig } from './sandbox-config.ts';
import { graceSecondsOf, stopContainers } from './stop-pod.ts';
import type { PartContext } from './worker-context.ts';

/** The sandboxes of one pod, and the addresses that it has by them. */
export interface PodSandboxes {
  /** Id of the one that the addresses are of; empty before the first. */
  readonly id: string;
  readonly podIps: readonly string[];
  /** What the API has may be the addresses of a sandbox before this one. */
  learnAddresses(pod: Pod, sandboxId: string): Promise<void>;
  /** Makes one in place of those that ended. @returns which attempt it is, once it is there */
  make(pod: Pod, state: PodRuntimeState): Promise<number | undefined>;
  /** Those that died too: they keep their network until they are stopped. */
  stopAll(state: PodRuntimeState): Promise<void>;
}

const delayMs = { initialMs: 1000, maxMs: 60_000 };

export function createPodSandboxes(
  { uid, services, wakeIn }: PartContext,
  toldIps: readonly string[],
): PodSandboxes {
  const { runtime, recorder, hostIp } = services;
  const backoff = createBackoff(delayMs);
  const stopped = new Set<string>();
  let podIps = toldIps;
  let addressed = '';

  const endOld = async (pod: Pod, state: PodRuntimeState): Promise<void> => {
    recorder.event(
      pod,
      'Normal',
      'SandboxChanged',
      'Pod sandbox changed, it will be killed and re-created.',
    );
    await stopContainers(pod, state, graceSecondsOf(pod), services);
    await sandboxes.stopAll(state);
  };

  const sandboxes: PodSandboxes = {
    get id() {
      return addressed;
    },
    get podIps() {
      return podIps;
    },
    async learnAddresses(pod, sandboxId) {
      if (addressed === sandboxId) return;
      podIps =
        pod.spec.hostNetwork === true ? [hostIp] : (await runtime.podSandboxStatus(sandboxId)).ips;
      addressed = sandboxId;
    },
    async make(pod, state) {
      const [old] = state.sandboxes;
      if (old !== undefined) await endOld(pod, state);
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
