import type { ContainerStatus, Runtime } from '../runtime/runtime.ts';

/** What the client is told, as plain text. */
export class NodeServerError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = 'NodeServerError';
    this.code = code;
  }
}

export interface ContainerQuery {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly previous: boolean;
}

const name = 'io.kubernetes.pod.name';
const namespace = 'io.kubernetes.pod.namespace';
const containerName = 'io.kubernetes.container.name';

/** The newest container of that name, or the one before it. @throws NodeServerError in the kubelet's words */
export async function findContainer(
  runtime: Runtime,
  query: ContainerQuery,
): Promise<ContainerStatus> {
  const found = (await runtime.listContainers())
    .filter(
      ({ labels }) =>
        labels[name] === query.pod &&
        labels[namespace] === query.namespace &&
        labels[containerName] === query.container,
    )
    .toSorted((a, b) => Number(b.createdAt - a.createdAt));
  const chosen = found[query.previous ? 1 : 0];
  if (chosen !== undefined) return runtime.containerStatus(chosen.id);
  throw new NodeServerError(
    400,
    query.previous
      ? `previous terminated container "${query.container}" in pod "${query.pod}" not found`
      : `container "${query.container}" in pod "${query.pod}" is waiting to start: ContainerCreating`,
  );
}

export async function findSandbox(
  runtime: Runtime,
  query: Pick<ContainerQuery, 'namespace' | 'pod'>,
): Promise<string> {
  const sandbox = (await runtime.listPodSandboxes()).find(
    ({ labels, state }) =>
      labels[name] === query.pod &&
      labels[namespace] === query.namespace &&
      state === 'SANDBOX_READY',
  );
  if (sandbox === undefined) throw new NodeServerError(404, `pod "${query.pod}" is not running`);
  return sandbox.id;
}
