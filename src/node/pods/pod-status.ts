import type { Pod, PodStatus } from '../../api/core/v1/pod.ts';
import { timestamp } from '../../machinery/timestamp.ts';
import { containerStatus, type ContainerStatusRequest } from './container-status.ts';
import { podConditions } from './pod-conditions.ts';
import { podPhase } from './pod-phase.ts';
import { terminalStatuses } from './terminal-status.ts';
import type { PodFailure } from './worker-state.ts';

export interface StatusRequest extends ContainerStatusRequest {
  readonly podIps: readonly string[];
  readonly hostIp: string;
  readonly sandboxReady: boolean;
  readonly failure?: PodFailure | undefined;
  /** What was reported last: the API may not have it yet. */
  readonly reported?: PodStatus | undefined;
}

/** kubelet's generateAPIPodStatus: the status of a pod, made from its runtime state. */
export function podStatus(request: StatusRequest): PodStatus {
  const { pod, podIps, hostIp, sandboxReady, failure, terminal, reported } = request;
  const old = pod.status ?? {};
  const found = {
    initContainerStatuses: (pod.spec.initContainers ?? []).map(each =>
      containerStatus(each, request, true),
    ),
    containerStatuses: pod.spec.containers.map(each => containerStatus(each, request, false)),
  };
  const statuses = terminal ? terminalStatuses(pod, found) : found;
  const { initContainerStatuses, containerStatuses } = statuses;
  const phase =
    failure === undefined
      ? (finalPhase(pod) ?? podPhase({ pod, ...statuses, terminal }))
      : 'Failed';
  // A pod that was never admitted has no containers to report.
  const wasAdmitted =
    failure?.rejected !== true &&
    (finalPhase(pod) === undefined || old.containerStatuses !== undefined);
  const hasContainers = wasAdmitted || request.state.containers.size > 0;
  return {
    phase,
    conditions: podConditions({ pod, phase, ...statuses, sandboxReady, reported }),
    ...(failure === undefined ? {} : { reason: failure.reason, message: failure.message }),
    hostIP: hostIp,
    hostIPs: [{ ip: hostIp }],
    ...(podIps[0] === undefined ? {} : { podIP: podIps[0], podIPs: podIps.map(ip => ({ ip })) }),
    startTime: old.startTime ?? reported?.startTime ?? timestamp(),
    ...(hasContainers && initContainerStatuses.length > 0
      ? { initContainerStatuses: [...initContainerStatuses] }
      : {}),
    ...(hasContainers ? { containerStatuses: [...containerStatuses] } : {}),
    ...(old.qosClass === undefined ? {} : { qosClass: old.qosClass }),
  };
}

/** A pod never leaves a terminal phase. */
function finalPhase({ status }: Pod): PodStatus['phase'] {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed' ? status.phase : undefined;
}
