import type {
  PodSandbox,
  PodSandboxConfig,
  PodSandboxStatus,
  SandboxHostPort,
  SandboxRuntime,
} from '../sandbox-runtime.ts';
import { sandboxTimeoutMs, type Call } from './cri-connection.ts';
import { ignoreNotFound } from './ignore-not-found.ts';
import { int64, type Wire } from './wire.ts';

export function criSandboxes(call: Call): SandboxRuntime {
  return {
    async runPodSandbox(config) {
      const request = { config: wireSandboxConfig(config) };
      const { podSandboxId } = await call<{ podSandboxId: string }>(
        'RunPodSandbox',
        request,
        sandboxTimeoutMs,
      );
      return podSandboxId;
    },
    async stopPodSandbox(podSandboxId) {
      await call('StopPodSandbox', { podSandboxId }, sandboxTimeoutMs).catch(ignoreNotFound);
    },
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
  };
}

export function wireSandboxConfig(config: PodSandboxConfig): object {
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

type WireSandboxStatus = Omit<Wire<PodSandboxStatus>, 'ips' | 'networkMode'> & {
  network: { ip: string; additionalIps: { ip: string }[] } | null;
  linux: {
    namespaces: { options: { network: PodSandboxStatus['networkMode'] } | null } | null;
  } | null;
};

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

const protocols = ['TCP', 'UDP', 'SCTP'] as const;

/** containerd reports a sandbox's configuration as the JSON of its Go structure, without zero values. */
function hostPortsIn(info: string): SandboxHostPort[] {
  const { config } = JSON.parse(info) as {
    config?: { port_mappings?: { protocol?: number; host_port?: number }[] };
  };
  return (config?.port_mappings ?? []).map(({ protocol = 0, host_port: hostPort = 0 }) => ({
    protocol: protocols[protocol] ?? 'TCP',
    hostPort,
  }));
}
