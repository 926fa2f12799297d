import type { Pod } from '../../api/core/v1/pod.ts';
import { graceSecondsOf } from './container-stops.ts';
import type { SyncRequest } from './pod-parts.ts';
import { hasRunningContainer } from './runtime-state.ts';
import type { Termination, WorkerEvent } from './worker-state.ts';

/** What a pod gets at most that vanished from the API without notice. */
const forcedGraceSeconds = 2;

/** kubelet's syncTerminatingPod: stops what runs, a step at each sync. */
export function syncTerminatingPod(
  { pod, state, parts }: SyncRequest,
  termination: Termination,
): WorkerEvent | undefined {
  if (!hasRunningContainer(state)) return { type: 'containersStopped' };
  parts.stops.stopNext(pod, state, graceSecondsFor(pod, termination));
  parts.reporter.report(state, { failure: termination.failure });
  return undefined;
}

/** A later request with a shorter grace period counts. */
function graceSecondsFor(pod: Pod, { deletion }: Termination): number {
  const own = graceSecondsOf(pod);
  if (deletion === 'forced') return Math.min(forcedGraceSeconds, own);
  return deletion === 'requested' ? (pod.metadata.deletionGracePeriodSeconds ?? own) : own;
}
