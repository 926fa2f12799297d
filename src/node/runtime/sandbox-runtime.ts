import type {
  NamespaceMode,
  NamespaceOptions,
  SecurityProfile,
  SeLinuxOptions,
} from './security-options.ts';

/** The sandboxes of pods: what the containers of a pod share, such as its network. */
export interface SandboxRuntime {
  /** @returns the sandbox id. @throws RuntimeError */
  runPodSandbox(config: PodSandboxConfig): Promise<string>;
  /** Idempotent, also where it was removed. Kills every container in it and releases its network. */
  stopPodSandbox(id: string): Promise<void>;
  /** Idempotent. Removes its containers too. */
  removePodSandbox(id: string): Promise<void>;
  /** @throws RuntimeError `not-found` */
  podSandboxStatus(id: string): Promise<PodSandboxStatus>;
  /** Ports of the node that are forwarded to a sandbox; empty where the runtime does not report them. */
  sandboxHostPorts(id: string): Promise<SandboxHostPort[]>;
  listPodSandboxes(filter?: { podUid?: string }): Promise<PodSandbox[]>;
}

export interface PodSandboxMetadata {
  name: string;
  uid: string;
  namespace: string;
  attempt: number;
}

export interface PodSandboxConfig {
  metadata: PodSandboxMetadata;
  hostname: string;
  /** Folder of the pod's logs: `/var/log/pods/<ns>_<name>_<uid>`. */
  logDirectory: string;
  dnsConfig?: { servers: string[]; searches: string[]; options: string[] };
  portMappings?: {
    protocol: 'TCP' | 'UDP' | 'SCTP';
    containerPort: number;
    hostPort: number;
    hostIp: string;
  }[];
  labels: Record<string, string>;
  annotations: Record<string, string>;
  linux: {
    cgroupParent?: string;
    sysctls?: Record<string, string>;
    securityContext: {
      namespaceOptions: NamespaceOptions;
      selinuxOptions?: SeLinuxOptions;
      runAsUser?: number;
      runAsGroup?: number;
      readonlyRootfs?: boolean;
      supplementalGroups?: number[];
      privileged?: boolean;
      seccomp?: SecurityProfile;
    };
  };
}

export interface SandboxHostPort {
  protocol: 'TCP' | 'UDP' | 'SCTP';
  hostPort: number;
}

export interface PodSandbox {
  id: string;
  metadata: PodSandboxMetadata;
  state: 'SANDBOX_READY' | 'SANDBOX_NOTREADY';
  /** Nanoseconds since the epoch. */
  createdAt: bigint;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

export interface PodSandboxStatus extends PodSandbox {
  /** Empty with host network. */
  ips: string[];
  networkMode: NamespaceMode;
}
