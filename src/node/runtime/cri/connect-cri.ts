import type { Logger } from '../../../machinery/log.ts';
import type {
  Container,
  ContainerConfig,
  ContainerStatus,
  Image,
  Mount,
  PodSandbox,
  PodSandboxConfig,
  PodSandboxStatus,
  Runtime,
  SandboxHostPort,
} from '../runtime.ts';
import { RuntimeError } from '../runtime.ts';
import { openService } from './grpc.ts';
import { watchRuntime } from './watch-runtime.ts';

export interface CriOptions {
  /** Path of the unix socket. */
  readonly endpoint: string;
  readonly log: Logger;
}

const callTimeoutMs = 2 * 60_000;
const sandboxTimeoutMs = 4 * 60_000;

/** The runtime port over CRI v1. Connects when first used. */
export function connectCri({ endpoint, log }: CriOptions): Runtime {
  const runtime = openService('runtime.v1.RuntimeService', endpoint);
  const images = openService('runtime.v1.ImageService', endpoint);
  const call = <R>(method: string, request: object, timeoutMs = callTimeoutMs): Promise<R> =>
    runtime.call<R>(method, request, timeoutMs);

  const adapter: Runtime = {
    version: () => call('Version', { version: 'v1' }),
    status: async () =>
      (await call<{ status: { conditions: Awaited<ReturnType<Runtime['status']>> } }>('Status', {}))
        .status.conditions,
    async features() {
      const { runtimeHandlers } = await call<{ runtimeHandlers: WireHandler[] }>('Status', {});
      // The empty name is the default handler's.
      const features = runtimeHandlers.find(({ name }) => name === '')?.features;
      return { recursiveReadOnlyMounts: features?.recursiveReadOnlyMounts === true };
    },
    runPodSandbox: async config =>
      (
        await call<{ podSandboxId: string }>(
          'RunPodSandbox',
          { config: sandboxConfig(config) },
          sandboxTimeoutMs,
        )
      ).podSandboxId,
    stopPodSandbox: podSandboxId => call('StopPodSandbox', { podSandboxId }, sandboxTimeoutMs),
    removePodSandbox: podSandboxId => call('RemovePodSandbox', { podSandboxId }),
    async podSandboxStatus(podSandboxId) {
      const { status } = await call<{ status: WireSandboxStatus }>('PodSandboxStatus', {
        podSandboxId,
      });
      return sandboxStatus(status);
    },
    async sandboxHostPorts(podSandboxId) {
      const { info } = await call<{ info: Record<string, string> }>('PodSandboxStatus', {
        podSandboxId,
        verbose: true,
      });
      return hostPortsIn(info['info'] ?? '{}');
    },
    async listPodSandboxes({ podUid } = {}) {
      const filter =
        podUid === undefined ? {} : { labelSelector: { 'io.kubernetes.pod.uid': podUid } };
      const { items } = await call<{ items: Wire<PodSandbox>[] }>('ListPodSandbox', { filter });
      return items.map(item => ({ ...item, createdAt: BigInt(item.createdAt) }));
    },
    createContainer: async (podSandboxId, config, sandbox) =>
      (
        await call<{ containerId: string }>('CreateContainer', {
          podSandboxId,
          config: containerConfig(config),
          sandboxConfig: sandboxConfig(sandbox),
        })
      ).containerId,
    startContainer: containerId => call('StartContainer', { containerId }),
    stopContainer: (containerId, timeoutSeconds) =>
      call(
        'StopContainer',
        { containerId, timeout: String(timeoutSeconds) },
        callTimeoutMs + timeoutSeconds * 1000,
      ),
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
    execSync: (containerId, cmd, timeoutSeconds) =>
      call(
        'ExecSync',
        { containerId, cmd, timeout: String(timeoutSeconds) },
        timeoutSeconds === 0 ? undefined : timeoutSeconds * 1000 + 2000,
      ),
    exec: async ({ command, ...request }) =>
      (await call<{ url: string }>('Exec', { ...request, cmd: command })).url,
    attach: async request => (await call<{ url: string }>('Attach', request)).url,
    portForward: async (podSandboxId, port) =>
      (await call<{ url: string }>('PortForward', { podSandboxId, port })).url,
    watch: (listener, signal) =>
      watchRuntime({ endpoint, runtime, adapter, log }, listener, signal),
    async imageStatus(image) {
      const answer = await images.call<{ image: WireImage | null }>(
        'ImageStatus',
        { image: { image } },
        callTimeoutMs,
      );
      return answer.image === null ? undefined : imageOf(answer.image);
    },
    listImages: async () =>
      (await images.call<{ images: WireImage[] }>('ListImages', {}, callTimeoutMs)).images.map(
        imageOf,
      ),
    async pullImage(image, auth, sandbox) {
      try {
        const { imageRef } = await images.call<{ imageRef: string }>('PullImage', {
          image: { image },
          ...(auth === undefined ? {} : { auth }),
          ...(sandbox === undefined ? {} : { sandboxConfig: sandboxConfig(sandbox) }),
        });
        return imageRef;
      } catch (error) {
        throw withoutUnknown(error);
      }
    },
    removeImage: image => images.call('RemoveImage', { image: { image } }, callTimeoutMs),
    close() {
      runtime.close();
      images.close();
      return Promise.resolve();
    },
  };
  return adapter;
}

const protocols = ['TCP', 'UDP', 'SCTP'] as const;

/** containerd tells a sandbox's configuration as the JSON of its Go structure, without what is zero. */
function hostPortsIn(info: string): SandboxHostPort[] {
  const { config } = JSON.parse(info) as {
    config?: { port_mappings?: { protocol?: number; host_port?: number }[] };
  };
  return (config?.port_mappings ?? []).map(({ protocol = 0, host_port: hostPort = 0 }) => ({
    protocol: protocols[protocol] ?? 'TCP',
    hostPort,
  }));
}

/** As the kubelet: that a pull failed for a reason without a code is said by nothing in front of it. */
function withoutUnknown(error: unknown): unknown {
  const head = 'rpc error: code = Unknown desc = ';
  return error instanceof RuntimeError && error.message.startsWith(head)
    ? new RuntimeError(error.code, error.message.slice(head.length), { cause: error.cause })
    : error;
}

/** 64-bit integers travel as strings. */
type Wire<T> = Omit<T, 'createdAt'> & { createdAt: string };
type WireContainer = Omit<Wire<Container>, 'image'> & { image: { image: string } | null };
type WireContainerStatus = Omit<Wire<ContainerStatus>, 'image' | 'startedAt' | 'finishedAt'> & {
  image: { image: string } | null;
  startedAt: string;
  finishedAt: string;
};
interface WireHandler {
  readonly name: string;
  readonly features: { readonly recursiveReadOnlyMounts: boolean } | null;
}
type WireSandboxStatus = Omit<Wire<PodSandboxStatus>, 'ips' | 'networkMode'> & {
  network: { ip: string; additionalIps: { ip: string }[] } | null;
  linux: {
    namespaces: { options: { network: PodSandboxStatus['networkMode'] } | null } | null;
  } | null;
};
type WireImage = Omit<Image, 'size' | 'uid'> & { size: string; uid: { value: string } | null };

const int64 = (value: number | undefined): { value: string } | undefined =>
  value === undefined ? undefined : { value: String(value) };

function sandboxConfig(config: PodSandboxConfig): object {
  const { securityContext } = config.linux;
  return {
    ...config,
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

function containerConfig(config: ContainerConfig): object {
  const { securityContext } = config.linux;
  return {
    ...config,
    image: { image: config.image },
    envs: config.envs.map(({ key, value }) => ({ key, value: Buffer.from(value) })),
    mounts: config.mounts satisfies Mount[],
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

function sandboxStatus({ network, linux, ...status }: WireSandboxStatus): PodSandboxStatus {
  const ips =
    network === null || network.ip === ''
      ? []
      : [network.ip, ...network.additionalIps.map(each => each.ip)];
  return {
    ...status,
    createdAt: BigInt(status.createdAt),
    ips,
    networkMode: linux?.namespaces?.options?.network ?? 'POD',
  };
}

const containerStatus = (status: WireContainerStatus): ContainerStatus => ({
  ...status,
  image: status.image?.image ?? '',
  createdAt: BigInt(status.createdAt),
  startedAt: BigInt(status.startedAt),
  finishedAt: BigInt(status.finishedAt),
});

const imageOf = ({ size, uid, ...image }: WireImage): Image => ({
  ...image,
  size: Number(size),
  ...(uid === null ? {} : { uid: Number(uid.value) }),
});
