import type { ContainerRuntime, ContainerStatus } from '../runtime/container-runtime.ts';
import { RuntimeError } from '../runtime/runtime-error.ts';
import type { PodSandbox, SandboxRuntime } from '../runtime/sandbox-runtime.ts';
import { labels } from './names.ts';

/** A container, and the sandbox that it was made in. */
export interface PodContainer extends ContainerStatus {
  readonly podSandboxId: string;
}

/** What the runtime has of one pod: the runtime state, as opposed to the pod's status in the API. */
export interface PodRuntimeState {
  /** Newest first. */
  readonly sandboxes: readonly PodSandbox[];
  /** By container name; newest attempt first. */
  readonly containers: ReadonlyMap<string, readonly PodContainer[]>;
  /** Ids of containers that were created and never ran, since the start was cancelled. They have to be removed. */
  readonly neverStarted: readonly string[];
}

export async function readRuntimeState(
  runtime: SandboxRuntime & ContainerRuntime,
  podUid: string,
): Promise<PodRuntimeState> {
  const [sandboxes, containers] = await Promise.all([
    runtime.listPodSandboxes({ podUid }),
    runtime.listContainers({ podUid }),
  ]);
  const statuses = await Promise.all(
    containers.map(async ({ id, podSandboxId }): Promise<PodContainer | undefined> => {
      try {
        return { ...(await runtime.containerStatus(id)), podSandboxId };
      } catch (error) {
        // Removed since it was listed.
        if (error instanceof RuntimeError && error.code === 'not-found') return undefined;
        throw error;
      }
    }),
  );
  const byName = new Map<string, PodContainer[]>();
  const neverStarted: string[] = [];
  for (const status of statuses) {
    if (status === undefined) continue;
    if (neverRan(status)) {
      neverStarted.push(status.id);
      continue;
    }
    const name = status.labels[labels.containerName] ?? status.metadata.name;
    byName.set(name, [...(byName.get(name) ?? []), status]);
  }
  for (const list of byName.values()) list.sort((a, b) => b.metadata.attempt - a.metadata.attempt);
  return {
    sandboxes: sandboxes.toSorted((a, b) => b.metadata.attempt - a.metadata.attempt),
    containers: byName,
    neverStarted,
  };
}

/** A start is cancelled when the agent that asked for it is killed: the container has not failed. */
const neverRan = ({ state, reason, message }: ContainerStatus): boolean =>
  state === 'CONTAINER_CREATED' ||
  (reason === 'StartError' && /: context canceled(: unknown)?$/.test(message));

export const isRunning = (status: ContainerStatus | undefined): boolean =>
  status?.state === 'CONTAINER_RUNNING';

/** Whether any container of the pod runs. */
export const hasRunningContainer = ({ containers }: PodRuntimeState): boolean =>
  [...containers.values()].some(list => list.some(isRunning));

export const hasExited = (status: ContainerStatus | undefined): boolean =>
  status?.state === 'CONTAINER_EXITED' || status?.state === 'CONTAINER_UNKNOWN';

export const readySandbox = ({ sandboxes }: PodRuntimeState): PodSandbox | undefined =>
  sandboxes.find(each => each.state === 'SANDBOX_READY');
