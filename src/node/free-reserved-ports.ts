import type { Logger } from '../machinery/log.ts';
import type { Runtime } from './runtime/runtime.ts';

/**
 * Ends sandboxes to which a port of Keylet's own leads: the API cannot be reached while one is there. A pod
 * of a Keylet that did not refuse it, or that listened elsewhere, may have left one.
 */
export async function freeReservedPorts(
  runtime: Pick<Runtime, 'listPodSandboxes' | 'sandboxHostPorts' | 'stopPodSandbox'>,
  reserved: ReadonlySet<number>,
  log: Logger,
): Promise<void> {
  const sandboxes = (await runtime.listPodSandboxes()).filter(
    each => each.state === 'SANDBOX_READY',
  );
  await Promise.all(
    sandboxes.map(async ({ id, metadata }) => {
      const ports = await runtime.sandboxHostPorts(id).catch((error: unknown) => {
        log.warn('Host ports of a pod are unknown', {
          pod: `${metadata.namespace}/${metadata.name}`,
          error: String(error),
        });
        return [];
      });
      const taken = ports.find(
        ({ protocol, hostPort }) => protocol === 'TCP' && reserved.has(hostPort),
      );
      if (taken === undefined) return;
      log.warn('A pod that had taken a port of Keylet was stopped', {
        pod: `${metadata.namespace}/${metadata.name}`,
        port: taken.hostPort,
      });
      await runtime.stopPodSandbox(id);
    }),
  );
}
