import type { Container, ContainerStatus, Pod } from '../../src/api/core/v1/pod.ts';
import { containerHash } from '../../src/node/pods/container-config.ts';
import type { PodContainer, PodRuntimeState } from '../../src/node/pods/runtime-state.ts';

export const container = (name: string, more: Partial<Container> = {}): Container => ({
  name,
  image: 'i',
  ...more,
});
export const pod = (spec: Partial<Pod['spec']> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'n', uid: 'u' },
  spec: { restartPolicy: 'Always', containers: [container('c')], ...spec },
});
export const seen = (
  of: Container,
  state: PodContainer['state'],
  more: Partial<PodContainer> = {},
): PodContainer => ({
  id: `${of.name}-${more.metadata?.attempt ?? 0}`,
  metadata: { name: of.name, attempt: 0 },
  state,
  createdAt: 0n,
  startedAt: 1_000_000_000n,
  finishedAt: state === 'CONTAINER_EXITED' ? 2_000_000_000n : 0n,
  exitCode: 0,
  image: 'i',
  imageRef: 'sha256:1',
  reason: '',
  message: '',
  labels: {},
  annotations: { 'io.kubernetes.container.hash': containerHash(of) },
  logPath: '',
  mounts: [],
  podSandboxId: 'sandbox',
  ...more,
});
export const sandbox = (id: string, state: 'SANDBOX_READY' | 'SANDBOX_NOTREADY', attempt = 0) => ({
  id,
  metadata: { name: 'p', namespace: 'n', uid: 'u', attempt },
  state,
  createdAt: 0n,
  labels: {},
  annotations: {},
});
export const stateOf = (...statuses: PodContainer[]): PodRuntimeState => ({
  sandboxes: [sandbox('sandbox', 'SANDBOX_READY')],
  containers: new Map(statuses.map(each => [each.metadata.name, [each]])),
  neverStarted: [],
});
/** The status of container `c` in the API. */
export const reported = (more: Partial<ContainerStatus>): ContainerStatus => ({
  name: 'c',
  image: 'i',
  imageID: '',
  ready: false,
  restartCount: 0,
  ...more,
});
/** After the sandbox has died. */
export const withDeadSandbox = (state: PodRuntimeState): PodRuntimeState => ({
  ...state,
  sandboxes: [sandbox('sandbox', 'SANDBOX_NOTREADY')],
});
/** After another has taken its place. */
export const withNewSandbox = (state: PodRuntimeState): PodRuntimeState => ({
  ...state,
  sandboxes: [sandbox('new', 'SANDBOX_READY', 1), sandbox('sandbox', 'SANDBOX_NOTREADY')],
});
