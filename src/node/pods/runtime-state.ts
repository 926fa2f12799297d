import type { ContainerStatus, PodSandbox, Runtime } from '../runtime/runtime.ts';
import { RuntimeError } from '../runtime/runtime.ts';
import { labels } from './names.ts';

/** What the runtime has of one pod. */
export interface PodRuntimeState {
  /** Newest first. */
  readonly sandboxes: readonly PodSandbox[];
  /** By container name; newest attempt first. */
  readonly containers: ReadonlyMap<string, readonly ContainerStatus[]>;
}

export async function readRuntimeState(runtime: Runtime, podUid: string): Promise<PodRuntimeState> {
  const [sandboxes, containers] = await Promise.all([
    runtime.listPodSandboxes({ podUid }),
    runtime.listContainers({ podUid }),
  ]);
  const statuses = await Promise.all(
    containers.map(({ id }) =>
      runtime.containerStatus(id).catch((error: unknown) => {
        // Removed since it was listed.
        if (error instanceof RuntimeError && error.code === 'not-found') return undefined;
        throw error;
      }),
    ),
  );
  const byName = new Map<string, ContainerStatus[]>();
  for (const status of statuses) {
    if (status === undefined) continue;
    const name = status.labels[labels.containerName] ?? status.metadata.name;
    byName.set(name, [...(byName.get(name) ?? []), status]);
  }
  for (const list of byName.values()) list.sort((a, b) => b.metadata.attempt - a.metadata.attempt);
  return {
    sandboxes: sandboxes.toSorted((a, b) => b.metadata.attempt - a.metadata.attempt),
    containers: byName,
  };
}

export const isRunning = (status: ContainerStatus | undefined): boolean =>
  status?.state === 'CONTAINER_RUNNING';

/** Made but not yet started counts as neither. */
export const hasExited = (status: ContainerStatus | undefined): boolean =>
  status?.state === 'CONTAINER_EXITED' || status?.state === 'CONTAINER_UNKNOWN';

export const readySandbox = ({ sandboxes }: PodRuntimeState): PodSandbox | undefined =>
  sandboxes.find(each => each.state === 'SANDBOX_READY');
