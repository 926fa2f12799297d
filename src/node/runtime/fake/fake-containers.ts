import type { ContainerRuntime, ContainerStatus } from '../container-runtime.ts';
import { RuntimeError } from '../runtime-error.ts';
import type { RuntimeEvent } from '../runtime-monitor.ts';
import type { PodSandboxStatus } from '../sandbox-runtime.ts';
import type { Intercept } from './call-control.ts';

export interface Exit {
  readonly exitCode: number;
  readonly reason?: string;
  readonly message?: string;
}

interface FakeContainer {
  readonly status: ContainerStatus;
  readonly podSandboxId: string;
}

export interface FakeContainers {
  readonly port: ContainerRuntime;
  /** @throws RuntimeError `not-found` */
  mustGet(id: string): ContainerStatus;
  /** The process of a running container ends. */
  exit(id: string, exit: Exit): void;
  stopAll(sandboxId: string): void;
  removeAll(sandboxId: string): void;
}

export interface FakeContainersOptions {
  readonly intercept: Intercept;
  readonly emit: (event: RuntimeEvent) => void;
  /** @throws RuntimeError `not-found` */
  readonly sandboxOf: (id: string) => PodSandboxStatus;
  /** @returns what a container's `imageRef` says of it. @throws RuntimeError `not-found` */
  readonly imageRefOf: (image: string) => string;
  /** How a process ends that is sent SIGTERM, by the container's name. */
  readonly exitOnStop: (name: string) => Exit;
}

const killed: Exit = { exitCode: 137 };

export function createFakeContainers(options: FakeContainersOptions): FakeContainers {
  const { intercept, emit, sandboxOf, imageRefOf, exitOnStop } = options;
  const containers = new Map<string, FakeContainer>();
  let made = 0;
  let lastNs = 0n;
  /** Distinct and ascending, also where a clock stands still. */
  const nowNs = (): bigint => {
    const now = BigInt(Date.now()) * 1_000_000n;
    lastNs = now > lastNs ? now : lastNs + 1n;
    return lastNs;
  };
  const mustFind = (id: string): FakeContainer => {
    const found = containers.get(id);
    if (found === undefined)
      throw new RuntimeError(
        'not-found',
        `rpc error: code = NotFound desc = an error occurred when try to find container "${id}": not found`,
      );
    return found;
  };
  const exit = (id: string, { exitCode, reason, message = '' }: Exit): void => {
    const { status } = mustFind(id);
    if (status.state !== 'CONTAINER_RUNNING') return;
    status.state = 'CONTAINER_EXITED';
    status.finishedAt = nowNs();
    status.exitCode = exitCode;
    status.reason = reason ?? (exitCode === 0 ? 'Completed' : 'Error');
    status.message = message;
    emit({ type: 'container-exited', containerId: id });
  };
  const remove = (id: string): void => {
    if (!containers.has(id)) return;
    exit(id, killed);
    containers.delete(id);
    emit({ type: 'container-deleted', containerId: id });
  };
  const idsIn = (sandboxId: string): string[] =>
    [...containers].filter(([, each]) => each.podSandboxId === sandboxId).map(([id]) => id);

  const port: ContainerRuntime = {
    createContainer: intercept('createContainer', (podSandboxId, config, sandboxConfig) => {
      const sandbox = sandboxOf(podSandboxId);
      if (sandbox.state !== 'SANDBOX_READY')
        throw new RuntimeError(
          'unknown',
          `rpc error: code = Unknown desc = sandbox ${podSandboxId} is not running`,
        );
      const imageRef = imageRefOf(config.image);
      made += 1;
      const id = `container-${made}`;
      const status: ContainerStatus = {
        id,
        metadata: config.metadata,
        state: 'CONTAINER_CREATED',
        createdAt: nowNs(),
        startedAt: 0n,
        finishedAt: 0n,
        exitCode: 0,
        image: config.image,
        imageRef,
        reason: '',
        message: '',
        labels: config.labels,
        annotations: config.annotations,
        logPath: `${sandboxConfig.logDirectory}/${config.logPath}`,
        mounts: config.mounts,
      };
      containers.set(id, { status, podSandboxId });
      return id;
    }),
    startContainer: intercept('startContainer', id => {
      const { status } = mustFind(id);
      if (status.state !== 'CONTAINER_CREATED')
        throw new RuntimeError(
          'unknown',
          `rpc error: code = Unknown desc = failed to start container "${id}": container is in ${status.state} state`,
        );
      status.state = 'CONTAINER_RUNNING';
      status.startedAt = nowNs();
      emit({ type: 'container-started', containerId: id });
    }),
    stopContainer: intercept('stopContainer', (id, timeoutSeconds) => {
      const found = containers.get(id);
      if (found === undefined) return;
      exit(id, timeoutSeconds === 0 ? killed : exitOnStop(found.status.metadata.name));
    }),
    removeContainer: intercept('removeContainer', id => remove(id)),
    containerStatus: intercept('containerStatus', id => ({ ...mustFind(id).status })),
    listContainers: intercept('listContainers', ({ podSandboxId, podUid } = {}) =>
      [...containers.values()]
        .filter(
          each =>
            (podSandboxId === undefined || each.podSandboxId === podSandboxId) &&
            (podUid === undefined || each.status.labels['io.kubernetes.pod.uid'] === podUid),
        )
        .map(({ podSandboxId: sandboxId, status }) => {
          const { id, metadata, image, imageRef, state, createdAt, labels, annotations } = status;
          const known = { id, metadata, image, imageRef, state, createdAt, labels, annotations };
          return { ...known, podSandboxId: sandboxId };
        }),
    ),
    reopenContainerLog: intercept('reopenContainerLog', id => {
      if (mustFind(id).status.state !== 'CONTAINER_RUNNING')
        throw new RuntimeError(
          'unknown',
          'rpc error: code = Unknown desc = container is not running',
        );
    }),
  };
  return {
    port,
    mustGet: id => mustFind(id).status,
    exit,
    stopAll: sandboxId => idsIn(sandboxId).forEach(id => exit(id, killed)),
    removeAll: sandboxId => idsIn(sandboxId).forEach(remove),
  };
}
