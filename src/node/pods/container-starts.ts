import type { Container, Pod } from '../../api/core/v1/pod.ts';
import { createBackoff } from '../../machinery/backoff.ts';
import { goDuration } from '../../machinery/duration.ts';
import { fieldPathOf } from '../field-path.ts';
import { podText } from './names.ts';
import type { Start } from './plan.ts';
import { hasExited } from './runtime-state.ts';
import { startContainer, StartError, type StartRequest } from './start-container.ts';
import type { Waiting } from './container-status.ts';
import type { PartContext } from './worker-context.ts';

/** The starts of one pod's containers, and how long each waits for its next. */
export interface ContainerStarts {
  /** Why containers do not run, by name. */
  readonly waiting: ReadonlyMap<string, Waiting>;
  /** Whether a start may be tried now; if not, `waiting` says why. */
  isDue(pod: Pod, start: Start): boolean;
  /** A failure is reported, and tried again later. */
  start(request: StartRequest): Promise<void>;
  /** The container is stopped on purpose: its next start need not wait. */
  resetBackoff(container: string): void;
  /** An object that the pod names has changed. @returns whether a start waited */
  retryNow(): boolean;
}

const restartDelayMs = { initialMs: 10_000, maxMs: 300_000 };

export function createContainerStarts({ uid, services, wakeIn }: PartContext): ContainerStarts {
  const { images, recorder } = services;
  const waiting = new Map<string, Waiting>();
  const notBefore = new Map<string, number>();
  const restarts = createBackoff(restartDelayMs);
  let objectChanges = 0;

  const reportCrashLoop = (pod: Pod, { name }: Container, delayMs: number): void => {
    waiting.set(name, {
      reason: 'CrashLoopBackOff',
      message: `back-off ${goDuration(delayMs)} restarting failed container=${name} pod=${podText(pod)}`,
    });
    recorder.event(
      pod,
      'Warning',
      'BackOff',
      `Back-off restarting failed container ${name} in pod ${podText(pod)}`,
      fieldPathOf(pod, name),
    );
  };

  return {
    waiting,
    isDue(pod, { container, previous }) {
      const at = notBefore.get(startKey(container)) ?? 0;
      if (at > performance.now()) {
        wakeIn(at - performance.now());
        return false;
      }
      if (previous === undefined || !hasExited(previous)) return true;
      const delayMs = restarts.delay(container.name);
      // If the clock was set back meanwhile, it would seem longer.
      const leftMs = Math.min(
        Number(previous.finishedAt / 1_000_000n) + delayMs - Date.now(),
        delayMs,
      );
      if (delayMs === 0 || leftMs <= 0) {
        restarts.next(container.name);
        return true;
      }
      reportCrashLoop(pod, container, delayMs);
      wakeIn(leftMs);
      return false;
    },
    async start(request) {
      const { name } = request.container;
      const key = startKey(request.container);
      const seen = objectChanges;
      try {
        await startContainer(request, services);
        waiting.delete(name);
        notBefore.delete(key);
      } catch (error) {
        // The pod is terminating: what became of this start does not matter any more.
        if (request.signal.aborted) return;
        if (!(error instanceof StartError)) throw error;
        waiting.set(name, error.waiting);
        // A missing object may have been created meanwhile.
        const changed = objectChanges !== seen;
        if (changed) images.resetBackoff(uid);
        const retryMs = changed ? 0 : error.retryMs;
        notBefore.set(key, performance.now() + retryMs);
        wakeIn(retryMs);
      }
    },
    resetBackoff: container => restarts.reset(container),
    retryNow() {
      objectChanges += 1;
      if (notBefore.size === 0) return false;
      notBefore.clear();
      images.resetBackoff(uid);
      return true;
    },
  };
}

/** A delay belongs to one image: if the spec names another since, that is tried at once. */
const startKey = ({ name, image = '' }: Container): string => `${name} ${image}`;
