import type { PodSandboxConfig } from './sandbox-runtime.ts';
import type { NamespaceOptions, SecurityProfile, SeLinuxOptions } from './security-options.ts';

/** Containers, from creation to removal. */
export interface ContainerRuntime {
  /** @returns the container id */
  createContainer(
    podSandboxId: string,
    config: ContainerConfig,
    sandboxConfig: PodSandboxConfig,
  ): Promise<string>;
  startContainer(id: string): Promise<void>;
  /** SIGTERM (or the image's STOPSIGNAL), then SIGKILL after `timeoutSeconds`. Idempotent, also where it was removed. */
  stopContainer(id: string, timeoutSeconds: number): Promise<void>;
  /** Idempotent. Kills the container if it is running. */
  removeContainer(id: string): Promise<void>;
  /** @throws RuntimeError `not-found` */
  containerStatus(id: string): Promise<ContainerStatus>;
  listContainers(filter?: { podSandboxId?: string; podUid?: string }): Promise<Container[]>;
  /** Makes the runtime open the log file anew, after it was renamed. */
  reopenContainerLog(id: string): Promise<void>;
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
