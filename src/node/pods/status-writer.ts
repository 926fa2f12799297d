import { isDeepStrictEqual } from 'node:util';
import type { Pod, PodStatus } from '../../api/core/v1/pod.ts';
import type { Logger } from '../../machinery/log.ts';
import { isStatusError } from '../../machinery/status.ts';
import { uidOf } from './names.ts';
import type { PodClient } from './worker-context.ts';

/** Writes a pod's status to the API: only changes, one write at a time, the newest wins. */
export interface StatusWriter {
  write(pod: Pod, status: PodStatus): void;
  /** Resolves when the newest is written, or the pod is gone. */
  flush(): Promise<void>;
}

const retryMs = 500;
const maxFailures = 20;

/** Whether a patch with the new status would change nothing. */
const says = (old: PodStatus | undefined, status: PodStatus): boolean =>
  Object.entries(status).every(([name, value]) =>
    isDeepStrictEqual(old?.[name as keyof PodStatus], value),
  );

/** The node controller does so when it takes the node for lost. */
const wasMarkedNotReady = (pod: Pod, status: PodStatus): boolean => {
  const readyOf = ({ conditions }: PodStatus) => conditions?.find(({ type }) => type === 'Ready');
  return readyOf(status)?.status === 'True' && readyOf(pod.status ?? {})?.status === 'False';
};

export function createStatusWriter(pods: PodClient, log: Logger): StatusWriter {
  let written = '';
  let next: { pod: Pod; status: PodStatus } | undefined;
  let running: Promise<void> | undefined;

  /** @returns whether it gave up */
  const run = async (): Promise<boolean> => {
    for (let failures = 0; next !== undefined;) {
      if (failures >= maxFailures) return true;
      const { pod, status } = next;
      next = undefined;
      const text = JSON.stringify(status);
      // An agent before this one may have written it already.
      if (written === '' && says(pod.status, status)) written = text;
      if (text === written && !wasMarkedNotReady(pod, status)) continue;
      const { namespace = '', name = '' } = pod.metadata;
      try {
        const patch = { metadata: { uid: uidOf(pod) }, status };
        await pods.patch(namespace, name, 'merge', patch, { subresource: 'status' });
        written = text;
      } catch (error) {
        if (isStatusError(error, 'NotFound') || isStatusError(error, 'Conflict')) return true;
        log.warn('Pod status update failed', {
          pod: `${namespace}/${name}`,
          error: (error as Error).message,
        });
        failures += 1;
        next ??= { pod, status };
        await new Promise(resolve => setTimeout(resolve, retryMs));
      }
    }
    return false;
  };
  const start = (): void => {
    running ??= run().then(gaveUp => {
      running = undefined;
      // A status may have come after the last look.
      if (!gaveUp && next !== undefined) start();
    });
  };
  return {
    write(pod, status) {
      next = { pod, status };
      start();
    },
    async flush() {
      while (running !== undefined) await running;
    },
  };
}
