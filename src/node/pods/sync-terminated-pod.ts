import type { Pod } from '../../api/core/v1/pod.ts';
import { isStatusError } from '../../machinery/status.ts';
import type { SyncRequest } from './pod-parts.ts';
import { removeAll } from './remove-containers.ts';
import type { WorkerServices } from './worker-context.ts';
import type { Termination, WorkerEvent } from './worker-state.ts';

/** kubelet's syncTerminatedPod: the final status, then the sandbox and the volumes; if it is deleted, all of it. */
export async function syncTerminatedPod(
  { pod, state, parts, context }: SyncRequest,
  { failure, deletion }: Termination,
): Promise<WorkerEvent | undefined> {
  const { services, uid } = context;
  parts.reporter.report(state, { terminal: true, failure });
  // The object must not go before its final status has been written.
  if (deletion !== undefined) await parts.reporter.flush();
  await parts.sandboxes.stopAll(state);
  services.references.unregisterPod(uid);
  await services.volumes.unmountAll(uid);
  if (deletion === undefined) return undefined;
  await removeAll(services, pod, state);
  if (deletion === 'requested') await deleteFromApi(services, pod);
  return { type: 'resourcesRemoved' };
}

async function deleteFromApi({ pods }: WorkerServices, pod: Pod): Promise<void> {
  const { namespace = '', name = '', uid = '' } = pod.metadata;
  try {
    await pods.delete(namespace, name, { gracePeriodSeconds: 0, uid });
  } catch (error) {
    if (!isStatusError(error, 'NotFound') && !isStatusError(error, 'Conflict')) throw error;
  }
}
