import type {
  Container,
  ContainerConfig,
  ContainerRuntime,
  ContainerStatus,
} from '../container-runtime.ts';
import { callTimeoutMs, type Call } from './cri-connection.ts';
import { wireSandboxConfig } from './cri-sandboxes.ts';
import { ignoreNotFound } from './ignore-not-found.ts';
import { int64, type Wire } from './wire.ts';

export function criContainers(call: Call): ContainerRuntime {
  return {
    async createContainer(podSandboxId, config, sandbox) {
      const { containerId } = await call<{ containerId: string }>('CreateContainer', {
        podSandboxId,
        config: wireContainerConfig(config),
        sandboxConfig: wireSandboxConfig(sandbox),
      });
      return containerId;
    },
    startContainer: containerId => call('StartContainer', { containerId }),
    async stopContainer(containerId, timeoutSeconds) {
      const request = { containerId, timeout: String(timeoutSeconds) };
      const timeoutMs = callTimeoutMs + timeoutSeconds * 1000;
      await call('StopContainer', request, timeoutMs).catch(ignoreNotFound);
    },
    removeContainer: containerId => call('RemoveContainer', { containerId }),
    async containerStatus(containerId) {
      const { status } = await call<{ status: WireContainerStatus }>('ContainerStatus', {
        containerId,
      });
      return containerStatus(status);
    },
    async listContainers({ podSandboxId, podUid } = {}) {
      const filter = {
        ...(podSandboxId === undefined ? {} : { podSandboxId }),
        ...(podUid === undefined ? {} : { labelSelector: { 'io.kubernetes.pod.uid': podUid } }),
      };
      const { containers } = await call<{ containers: WireContainer[] }>('ListContainers', {
        filter,
      });
      return containers.map(each => ({
        ...each,
        image: each.image?.image ?? '',
        createdAt: BigInt(each.createdAt),
      }));
    },
    reopenContainerLog: containerId => call('ReopenContainerLog', { containerId }),
  };
}

function wireContainerConfig(config: ContainerConfig): object {
  const { securityContext } = config.linux;
  return {
    ...config,
    image: { image: config.image },
    envs: config.envs.map(({ key, value }) => ({ key, value: Buffer.from(value) })),
    linux: {
      ...config.linux,
      securityContext: {
        ...securityContext,
        runAsUser: int64(securityContext.runAsUser),
        runAsGroup: int64(securityContext.runAsGroup),
      },
    },
  };
}

type WireContainer = Omit<Wire<Container>, 'image'> & { image: { image: string } | null };
type WireContainerStatus = Omit<Wire<ContainerStatus>, 'image' | 'startedAt' | 'finishedAt'> & {
  image: { image: string } | null;
  startedAt: string;
  finishedAt: string;
};

const containerStatus = (status: WireContainerStatus): ContainerStatus => ({
  ...status,
  image: status.image?.image ?? '',
  createdAt: BigInt(status.createdAt),
  startedAt: BigInt(status.startedAt),
  finishedAt: BigInt(status.finishedAt),
});
