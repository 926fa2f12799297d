import type { Logger } from '../machinery/log.ts';
import type { SandboxRuntime } from './runtime/sandbox-runtime.ts';

/**
 * Stops sandboxes that have taken one of Keylet's own ports: while one runs, the API cannot be reached. An
 * older Keylet, or one that listened on other ports, may have left such a sandbox.
 */
export async function freeReservedPorts(
  runtime: Pick<SandboxRuntime, 'listPodSandboxes' | 'sandboxHostPorts' | 'stopPodSandbox'>,
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
      log.warn('Stopped a pod that had taken a port of Keylet', {
        pod: `${metadata.namespace}/${metadata.name}`,
        port: taken.hostPort,
      });
      await runtime.stopPodSandbox(id);
    }),
  );
}
