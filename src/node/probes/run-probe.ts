import type { Probe } from '../../api/core/v1/pod.ts';
import type { Logger } from '../../machinery/log.ts';
import { maxTimerMs } from '../../machinery/loop.ts';
import { guard } from '../../machinery/unexpected.ts';
import type { ProbeResult } from './probe-result.ts';

export interface ProbeRun {
  readonly probe: Probe;
  /** When the container started. Milliseconds since the epoch. */
  readonly startedAtMs: number;
  readonly log?: Pick<Logger, 'error'> | undefined;
  /** Whether it may ask now; it looks again soon where it may not. */
  isDue(): boolean;
  ask(timeoutMs: number): Promise<ProbeResult>;
  /** Called with each answer. */
  onResult(result: ProbeResult): void;
  /** As many answers in a row were alike as the probe asks for. @returns whether it goes on */
  onThreshold(succeeded: boolean): boolean;
}

/** While a container has not started, its other probes look so often whether it has. */
const maxIdleMs = 1000;

/** Asks again and again, first after the initial delay. @returns stops it */
export function runProbe(run: ProbeRun): () => void {
  const { probe, startedAtMs, log } = run;
  const periodMs = (probe.periodSeconds ?? 10) * 1000;
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  let streak = 0;
  let last: boolean | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const schedule = (ms: number): void => {
    if (!stopped) timer = setTimeout(() => askGuarded(), Math.min(ms, maxTimerMs));
  };
  const askOnce = async (): Promise<void> => {
    if (!run.isDue()) return schedule(Math.min(periodMs, maxIdleMs));
    const result = await run.ask(timeoutMs);
    if (stopped) return;
    run.onResult(result);
    // Nothing is known: it counts neither way.
    if (result.outcome === 'unknown') return schedule(periodMs);
    const succeeded = result.outcome !== 'failure';
    streak = succeeded === last ? streak + 1 : 1;
    last = succeeded;
    const threshold = succeeded ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
    if (streak < threshold || run.onThreshold(succeeded)) schedule(periodMs);
  };
  const askGuarded = guard({ log, operation: 'probe', onError: () => schedule(periodMs) }, askOnce);

  // If the clock was set back meanwhile, the container seems to start only later.
  const ranMs = Math.max(0, Date.now() - startedAtMs);
  schedule(Math.max(0, (probe.initialDelaySeconds ?? 0) * 1000 - ranMs));
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
