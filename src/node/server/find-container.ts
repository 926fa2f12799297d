import type { ContainerState, Pod } from '../../api/core/v1/pod.ts';
import { reportedStatuses } from '../pods/lost-container-status.ts';
import type { Container, ContainerStatus, Runtime } from '../runtime/runtime.ts';
import { NodeServerError } from './node-server-error.ts';

export interface ContainerQuery {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

const name = 'io.kubernetes.pod.name';
const namespace = 'io.kubernetes.pod.namespace';
const containerName = 'io.kubernetes.container.name';

/**
 * The container whose log is asked for. @param pod as the API knows it
 * @throws NodeServerError in the kubelet's words
 */
export async function findLogged(
  runtime: Runtime,
  query: ContainerQuery & { readonly previous: boolean },
  pod: Pod,
): Promise<ContainerStatus> {
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec;
  const declared = [...containers, ...initContainers, ...ephemeralContainers];
  if (!declared.some(each => each.name === query.container)) {
    throw new NodeServerError(
      404,
      `container ${JSON.stringify(query.container)} not found in pod ${JSON.stringify(query.pod)}`,
    );
  }
  const { waiting } = toldState(pod, query.container);
  const found = await containersOf(runtime, query);
  // One that waits for its next run has had its last already.
  const last = waiting !== undefined && found[0]?.state === 'CONTAINER_EXITED' ? 0 : 1;
  const chosen = found[query.previous ? last : 0];
  if (chosen !== undefined) return runtime.containerStatus(chosen.id);
  const what = `container "${query.container}" in pod "${query.pod}"`;
  throw new NodeServerError(
    400,
    query.previous
      ? `previous terminated ${what} not found`
      : `${what} is waiting to start: ${waitsFor(waiting?.reason ?? 'ContainerCreating')}`,
  );
}

function waitsFor(reason: string): string {
  if (reason === 'ErrImagePull') return "image can't be pulled";
  return reason === 'ImagePullBackOff' ? 'trying and failing to pull image' : reason;
}

/** The container to run something in. @throws NodeServerError in the kubelet's words */
export async function findNewest(runtime: Runtime, query: ContainerQuery): Promise<string> {
  const [newest] = await containersOf(runtime, query);
  if (newest === undefined)
    throw new NodeServerError(500, `container not found ("${query.container}")`);
  return newest.id;
}

const toldState = (pod: Pod, container: string): ContainerState =>
  reportedStatuses(pod).find(each => each.name === container)?.state ?? {};

/** The newest first. */
const containersOf = async (runtime: Runtime, query: ContainerQuery): Promise<Container[]> =>
  (await runtime.listContainers())
    .filter(
      ({ labels }) =>
        labels[name] === query.pod &&
        labels[namespace] === query.namespace &&
        labels[containerName] === query.container,
    )
    .toSorted((a, b) => Number(b.createdAt - a.createdAt));

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
