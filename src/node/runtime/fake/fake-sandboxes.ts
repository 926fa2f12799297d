import { RuntimeError } from '../runtime-error.ts';
import type { PodSandboxConfig, PodSandboxStatus, SandboxRuntime } from '../sandbox-runtime.ts';
import type { Intercept } from './call-control.ts';

interface FakeSandbox {
  readonly status: PodSandboxStatus;
  readonly config: PodSandboxConfig;
}

export interface FakeSandboxes {
  readonly port: SandboxRuntime;
  /** @throws RuntimeError `not-found` */
  mustGet(id: string): PodSandboxStatus;
  /** As if its pause process had died: its containers keep running. */
  kill(id: string): void;
}

/** @param containers what happens to the containers of a sandbox that is stopped or removed */
export function createFakeSandboxes(
  intercept: Intercept,
  containers: { stopAll(sandboxId: string): void; removeAll(sandboxId: string): void },
): FakeSandboxes {
  const sandboxes = new Map<string, FakeSandbox>();
  let made = 0;
  const mustFind = (id: string): FakeSandbox => {
    const found = sandboxes.get(id);
    if (found === undefined)
      throw new RuntimeError(
        'not-found',
        `rpc error: code = NotFound desc = an error occurred when try to find sandbox: not found: ${id}`,
      );
    return found;
  };
  const kill = (id: string): void => {
    const sandbox = sandboxes.get(id);
    if (sandbox !== undefined) sandbox.status.state = 'SANDBOX_NOTREADY';
  };

  const port: SandboxRuntime = {
    runPodSandbox: intercept('runPodSandbox', config => {
      made += 1;
      const id = `sandbox-${made}`;
      const networkMode = config.linux.securityContext.namespaceOptions.network ?? 'POD';
      const { metadata, labels, annotations } = config;
      const status: PodSandboxStatus = {
        id,
        metadata,
        state: 'SANDBOX_READY',
        // Distinct, in the order of creation.
        createdAt: BigInt(Date.now()) * 1_000_000n + BigInt(made),
        labels,
        annotations,
        ips: networkMode === 'NODE' ? [] : [`10.88.0.${made + 1}`],
        networkMode,
      };
      sandboxes.set(id, { status, config });
      return id;
    }),
    stopPodSandbox: intercept('stopPodSandbox', id => {
      kill(id);
      containers.stopAll(id);
    }),
    removePodSandbox: intercept('removePodSandbox', id => {
      containers.removeAll(id);
      sandboxes.delete(id);
    }),
    podSandboxStatus: intercept('podSandboxStatus', id => ({ ...mustFind(id).status })),
    sandboxHostPorts: intercept('sandboxHostPorts', id =>
      (mustFind(id).config.portMappings ?? []).map(({ protocol, hostPort }) => ({
        protocol,
        hostPort,
      })),
    ),
    listPodSandboxes: intercept('listPodSandboxes', ({ podUid } = {}) =>
      [...sandboxes.values()]
        .map(({ status: { ips: _ips, networkMode: _networkMode, ...sandbox } }) => sandbox)
        .filter(({ metadata }) => podUid === undefined || metadata.uid === podUid),
    ),
  };
  return { port, mustGet: id => mustFind(id).status, kill };
}
