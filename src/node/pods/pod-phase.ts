import type { ContainerStatus, Pod, PodStatus } from '../../api/core/v1/pod.ts';
import { isSidecarName } from './sidecar.ts';

type Phase = NonNullable<PodStatus['phase']>;

export interface PhaseRequest {
  readonly pod: Pod;
  readonly initContainerStatuses: readonly ContainerStatus[];
  readonly containerStatuses: readonly ContainerStatus[];
  /** No container runs, and none will be started again. */
  readonly terminal: boolean;
}

/** kubelet's getPhase. */
export function podPhase(request: PhaseRequest): Phase {
  const { pod, initContainerStatuses, containerStatuses, terminal } = request;
  const policy = pod.spec.restartPolicy ?? 'Always';
  const isSidecar = ({ name }: ContainerStatus): boolean => isSidecarName(pod, name);
  const init = initContainerStatuses.filter(each => !isSidecar(each));
  const sidecars = initContainerStatuses.filter(isSidecar);

  if (policy === 'Never' && init.some(hasFailed)) return 'Failed';
  if (init.some(isPendingInit)) return 'Pending';
  const hasInitialized = containerStatuses.some(hasStarted);
  if (!hasInitialized && sidecars.some(isPendingSidecar)) return 'Pending';
  // A sidecar that ended, or that is being restarted, does not count.
  if ([...sidecars, ...containerStatuses].some(isWaitingForFirstStart)) return 'Pending';
  if ([...sidecars, ...containerStatuses].some(isRunning)) return 'Running';

  const succeeded = containerStatuses.every(({ state }) => state?.terminated?.exitCode === 0);
  if (terminal) return succeeded ? 'Succeeded' : 'Failed';
  if (policy === 'Always') return 'Running';
  if (succeeded) return 'Succeeded';
  return policy === 'Never' ? 'Failed' : 'Running';
}

/** kubelet's HasAnyRegularContainerStarted, of one container. */
export const hasStarted = ({ state }: ContainerStatus): boolean =>
  state?.running !== undefined || state?.terminated !== undefined;

const isRunning = ({ state }: ContainerStatus): boolean => state?.running !== undefined;

const isWaitingForFirstStart = ({ state, lastState }: ContainerStatus): boolean =>
  state?.running === undefined &&
  state?.terminated === undefined &&
  lastState?.terminated === undefined;

const isPendingSidecar = (status: ContainerStatus): boolean =>
  isWaitingForFirstStart(status) || (isRunning(status) && status.started !== true);

const isPendingInit = (status: ContainerStatus): boolean =>
  isRunning(status) || isWaitingForFirstStart(status);

function hasFailed({ state, lastState }: ContainerStatus): boolean {
  const ended =
    state?.terminated ?? (state?.waiting === undefined ? undefined : lastState?.terminated);
  return ended !== undefined && ended.exitCode !== 0;
}
