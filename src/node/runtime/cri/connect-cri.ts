import type { Logger } from '../../../machinery/log.ts';
import type { RuntimeCondition, RuntimeMonitor } from '../runtime-monitor.ts';
import type { Runtime } from '../runtime.ts';
import { criContainers } from './cri-containers.ts';
import { openCriConnection, type Call } from './cri-connection.ts';
import { criImages } from './cri-images.ts';
import { criSandboxes } from './cri-sandboxes.ts';
import { criStreaming } from './cri-streaming.ts';
import { watchRuntime } from './watch-runtime.ts';

export interface CriOptions {
  /** Path of the unix socket. */
  readonly endpoint: string;
  readonly log: Logger;
}

/** The runtime port over CRI v1. Connects when first used. */
export function connectCri({ endpoint, log }: CriOptions): Runtime {
  const connection = openCriConnection(endpoint);
  const { call, callImages, runtimeService } = connection;
  const sandboxes = criSandboxes(call);
  const containers = criContainers(call);
  const identity = criIdentity(call);
  const { containerStatus } = containers;
  const { podSandboxStatus } = sandboxes;
  return {
    ...sandboxes,
    ...containers,
    ...criStreaming(call),
    ...criImages(callImages),
    ...identity,
    watch: (listener, signal) =>
      watchRuntime(
        {
          endpoint,
          runtimeService,
          version: identity.version,
          inspector: { containerStatus, podSandboxStatus },
          log,
        },
        listener,
        signal,
      ),
    close() {
      connection.close();
      return Promise.resolve();
    },
  };
}

function criIdentity(call: Call): Omit<RuntimeMonitor, 'watch'> {
  return {
    version: () => call('Version', { version: 'v1' }),
    async status() {
      const { status } = await call<{ status: { conditions: RuntimeCondition[] } }>('Status', {});
      return status.conditions;
    },
    async features() {
      const { runtimeHandlers } = await call<{ runtimeHandlers: WireHandler[] }>('Status', {});
      // The empty name is the default handler's.
      const features = runtimeHandlers.find(({ name }) => name === '')?.features;
      return { recursiveReadOnlyMounts: features?.recursiveReadOnlyMounts === true };
    },
  };
}

interface WireHandler {
  readonly name: string;
  readonly features: { readonly recursiveReadOnlyMounts: boolean } | null;
}
