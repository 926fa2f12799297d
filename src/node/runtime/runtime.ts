/**
 * The runtime port: CRI v1 in the project's words. The adapter is `cri/`; containerd and CRI-O serve it.
 * Fields carry CRI's names in camel case; enums are their CRI names.
 */
export interface Runtime {
  version(): Promise<{ runtimeName: string; runtimeVersion: string; runtimeApiVersion: string }>;
  /** RuntimeReady and NetworkReady. */
  status(): Promise<RuntimeCondition[]>;
  /** What not every runtime can. */
  features(): Promise<RuntimeFeatures>;

  /** @returns the sandbox id. @throws RuntimeError */
  runPodSandbox(config: PodSandboxConfig): Promise<string>;
  /** Idempotent. Ends every container in it. */
  stopPodSandbox(id: string): Promise<void>;
  /** Idempotent. */
  removePodSandbox(id: string): Promise<void>;
  podSandboxStatus(id: string): Promise<PodSandboxStatus>;
  /** Ports of the node that lead into a sandbox; empty where the runtime does not tell. */
  sandboxHostPorts(id: string): Promise<SandboxHostPort[]>;
  listPodSandboxes(filter?: { podUid?: string }): Promise<PodSandbox[]>;

  /** @returns the container id */
  createContainer(
    podSandboxId: string,
    config: ContainerConfig,
    sandboxConfig: PodSandboxConfig,
  ): Promise<string>;
  startContainer(id: string): Promise<void>;
  /** SIGTERM (or the image's STOPSIGNAL), then SIGKILL after `timeoutSeconds`. Idempotent. */
  stopContainer(id: string, timeoutSeconds: number): Promise<void>;
  /** Idempotent. */
  removeContainer(id: string): Promise<void>;
  containerStatus(id: string): Promise<ContainerStatus>;
  listContainers(filter?: { podSandboxId?: string; podUid?: string }): Promise<Container[]>;
  reopenContainerLog(id: string): Promise<void>;

  /** Runs to its end. @throws RuntimeError `timeout` past `timeoutSeconds` (0: no limit) */
  execSync(id: string, command: readonly string[], timeoutSeconds: number): Promise<ExecResult>;
  /** Each answers the URL of the runtime's streaming server for one session. */
  exec(request: ExecRequest): Promise<string>;
  attach(request: Omit<ExecRequest, 'command'>): Promise<string>;
  portForward(podSandboxId: string, ports: readonly number[]): Promise<string>;

  /**
   * What happens to containers and sandboxes, as it happens. Reconnects by itself; after each
   * (re)connection it emits `resync` first, for the listener to compare with `listContainers`, and
   * `lost` when the connection ends.
   */
  watch(listener: (event: RuntimeEvent) => void, signal: AbortSignal): void;

  imageStatus(image: string): Promise<Image | undefined>;
  listImages(): Promise<Image[]>;
  /** @returns the image ref (digest) to create containers from. @throws RuntimeError */
  pullImage(image: string, auth?: AuthConfig, sandboxConfig?: PodSandboxConfig): Promise<string>;
  removeImage(image: string): Promise<void>;

  close(): Promise<void>;
}

export type RuntimeErrorCode =
  'not-found' | 'already-exists' | 'timeout' | 'unavailable' | 'invalid-argument' | 'unknown';

/** `message` is the runtime's own text, as the kubelet shows it (`rpc error: code = … desc = …`). */
export class RuntimeError extends Error {
  readonly code: RuntimeErrorCode;

  constructor(code: RuntimeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RuntimeError';
    this.code = code;
  }
}

export interface RuntimeCondition {
  type: string;
  status: boolean;
  reason: string;
  message: string;
}

export interface RuntimeFeatures {
  /** Mounts whose sub-mounts are read-only too: containerd 2.0, Linux 5.12. */
  recursiveReadOnlyMounts: boolean;
}

export type RuntimeEvent =
  | { readonly type: 'resync' }
  | { readonly type: 'lost' }
  | {
      readonly type: 'container-started' | 'container-exited' | 'container-deleted';
      readonly containerId: string;
    };

export type NamespaceMode = 'POD' | 'CONTAINER' | 'NODE' | 'TARGET';

export interface NamespaceOptions {
  network?: NamespaceMode;
  pid?: NamespaceMode;
  ipc?: NamespaceMode;
  targetId?: string;
}

export interface SeLinuxOptions {
  user?: string;
  role?: string;
  type?: string;
  level?: string;
}

export interface SecurityProfile {
  profileType: 'RuntimeDefault' | 'Unconfined' | 'Localhost';
  localhostRef?: string;
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

export interface ContainerConfig {
  metadata: { name: string; attempt: number };
  /** What `pullImage` answered, or an image's id. */
  image: string;
  command?: string[];
  args?: string[];
  workingDir?: string;
  envs: { key: string; value: Uint8Array }[];
  /** What of the above holds a Secret's value: names of `envs`, and whole words of `command` and `args`. */
  confidential?: { readonly envs: readonly string[]; readonly words: readonly string[] };
  mounts: Mount[];
  devices?: { containerPath: string; hostPath: string; permissions: string }[];
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** Relative to the sandbox's `logDirectory`: `<container>/<attempt>.log`. */
  logPath: string;
  stdin?: boolean;
  stdinOnce?: boolean;
  tty?: boolean;
  linux: {
    resources?: {
      cpuPeriod?: number;
      cpuQuota?: number;
      cpuShares?: number;
      memoryLimitInBytes?: number;
      oomScoreAdj?: number;
    };
    securityContext: {
      capabilities?: { addCapabilities: string[]; dropCapabilities: string[] };
      privileged?: boolean;
      namespaceOptions: NamespaceOptions;
      selinuxOptions?: SeLinuxOptions;
      runAsUser?: number;
      runAsUsername?: string;
      runAsGroup?: number;
      readonlyRootfs?: boolean;
      supplementalGroups?: number[];
      noNewPrivs?: boolean;
      maskedPaths?: string[];
      readonlyPaths?: string[];
      seccomp?: SecurityProfile;
      apparmor?: SecurityProfile;
    };
  };
}

export interface Mount {
  containerPath: string;
  hostPath: string;
  readonly: boolean;
  /** Only where the runtime has the feature. */
  recursiveReadOnly?: boolean;
  selinuxRelabel?: boolean;
  propagation?:
    'PROPAGATION_PRIVATE' | 'PROPAGATION_HOST_TO_CONTAINER' | 'PROPAGATION_BIDIRECTIONAL';
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

export type ContainerState =
  'CONTAINER_CREATED' | 'CONTAINER_RUNNING' | 'CONTAINER_EXITED' | 'CONTAINER_UNKNOWN';

export interface Container {
  id: string;
  podSandboxId: string;
  metadata: { name: string; attempt: number };
  image: string;
  imageRef: string;
  state: ContainerState;
  createdAt: bigint;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

export interface ContainerStatus {
  id: string;
  metadata: { name: string; attempt: number };
  state: ContainerState;
  createdAt: bigint;
  /** 0n when it has not happened. */
  startedAt: bigint;
  finishedAt: bigint;
  exitCode: number;
  image: string;
  imageRef: string;
  /** `Completed`, `Error`, `OOMKilled`, … */
  reason: string;
  message: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  logPath: string;
  mounts: Mount[];
}

export interface ExecResult {
  stdout: Buffer;
  stderr: Buffer;
  exitCode: number;
}

export interface ExecRequest {
  containerId: string;
  command: readonly string[];
  tty: boolean;
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
}

export interface Image {
  id: string;
  repoTags: string[];
  repoDigests: string[];
  /** Bytes. */
  size: number;
  /** The image's USER: a number, or a name; both absent for root. */
  uid?: number;
  username: string;
}

export interface AuthConfig {
  username?: string;
  password?: string;
  auth?: string;
  serverAddress?: string;
  identityToken?: string;
  registryToken?: string;
}
