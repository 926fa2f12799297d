import type { ContainerStatus, Pod, PodCondition, PodStatus } from '../../api/core/v1/pod.ts';
import { timestamp } from '../../machinery/timestamp.ts';
import { hasStarted } from './pod-phase.ts';
import { isSidecarName } from './sidecar.ts';

export interface ConditionsRequest {
  readonly pod: Pod;
  readonly phase: PodStatus['phase'];
  readonly initContainerStatuses: readonly ContainerStatus[];
  readonly containerStatuses: readonly ContainerStatus[];
  readonly sandboxReady: boolean;
  /** What was reported last: the API may not have it yet. */
  readonly reported?: PodStatus | undefined;
}

type Found = Pick<PodCondition, 'status' | 'reason' | 'message'>;

const holds: Found = { status: 'True' };

/** The kubelet's conditions beside those of others; the time of one that did not change is kept. */
export function podConditions(request: ConditionsRequest): PodCondition[] {
  const { pod, sandboxReady, reported } = request;
  const old = pod.status?.conditions ?? [];
  const condition = (type: string, found: Found): PodCondition => {
    const before = [...(reported?.conditions ?? []), ...old].find(each => each.type === type);
    const lastTransitionTime =
      before?.status === found.status && before.lastTransitionTime !== undefined
        ? before.lastTransitionTime
        : timestamp();
    const { status, reason, message } = found;
    return {
      type,
      status,
      lastTransitionTime,
      ...(reason === undefined ? {} : { reason }),
      ...(message === undefined ? {} : { message }),
    };
  };
  const containersReady = findContainersReady(request);
  const own = [
    condition('PodReadyToStartContainers', sandboxReady ? holds : { status: 'False' }),
    condition('Initialized', findInitialized(request)),
    condition('Ready', containersReady === holds ? findReady(pod) : containersReady),
    condition('ContainersReady', containersReady),
    condition('PodScheduled', holds),
  ];
  return [...own, ...old.filter(each => !own.some(mine => mine.type === each.type))];
}

/** kubelet's GeneratePodInitializedCondition. */
function findInitialized(request: ConditionsRequest): Found {
  const { pod, phase, initContainerStatuses, containerStatuses } = request;
  if (phase === 'Succeeded') return { status: 'True', reason: 'PodCompleted' };
  // A sidecar that is being restarted does not make the pod uninitialized.
  if (containerStatuses.some(hasStarted)) return holds;
  const incomplete = initContainerStatuses.filter(({ name, ready, started }) =>
    isSidecarName(pod, name) ? started !== true : !ready,
  );
  if (incomplete.length === 0) return holds;
  return {
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: ${namesOf(incomplete)}`,
  };
}

/** kubelet's GenerateContainersReadyCondition. */
function findContainersReady(request: ConditionsRequest): Found {
  const { pod, phase, initContainerStatuses, containerStatuses } = request;
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  const unready = [
    ...initContainerStatuses.filter(({ name }) => isSidecarName(pod, name)),
    ...containerStatuses,
  ].filter(({ ready }) => !ready);
  if (unready.length === 0) return holds;
  return {
    status: 'False',
    reason: 'ContainersNotReady',
    message: `containers with unready status: ${namesOf(unready)}`,
  };
}

/** The readiness gates of GeneratePodReadyCondition: what others have to say before the pod is ready. */
function findReady({ spec, status }: Pod): Found {
  const messages = (spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const gate = `pod readiness gate ${JSON.stringify(conditionType)}`;
    const found = status?.conditions?.find(({ type }) => type === conditionType);
    if (found === undefined) return [`corresponding condition of ${gate} does not exist.`];
    return found.status === 'True'
      ? []
      : [`the status of ${gate} is not "True", but ${found.status}`];
  });
  if (messages.length === 0) return holds;
  return { status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') };
}

const namesOf = (list: readonly ContainerStatus[]): string =>
  `[${list.map(each => each.name).join(' ')}]`;
