import type { Logger } from '../../machinery/log.ts';
import { guard } from '../../machinery/unexpected.ts';
import type { Container, Probe } from '../../api/core/v1/pod.ts';
import { maxTimerMs } from '../../machinery/loop.ts';
import type { StreamingRuntime } from '../runtime/streaming-runtime.ts';
import type { ProbeResult } from './probe-result.ts';
import { runHandler } from './run-handler.ts';

/** A container that runs. */
export interface ProbedContainer {
  readonly container: Container;
  readonly containerId: string;
  readonly startedAtMs: number;
  readonly podIp: string;
  /** What an agent before this one found of it: it holds until a probe says otherwise (KEP-4781). */
  readonly before: { readonly started: boolean; readonly ready: boolean } | undefined;
}

/** What the probes of the containers of one pod have found. */
export interface Prober {
  /** Begins with a container; idempotent. */
  watch(probed: ProbedContainer): void;
  /** Forgets containers that are not in the list. */
  keep(containerIds: readonly string[]): void;
  isReady(container: Container, containerId: string): boolean;
  isStarted(container: Container, containerId: string): boolean;
  /** Why a container has to be restarted. */
  isUnhealthy(containerId: string): string | undefined;
  close(): void;
}

export interface ProberOptions {
  readonly runtime: Pick<StreamingRuntime, 'execSync'>;
  readonly log?: Pick<Logger, 'error'> | undefined;
  /** A result changed. */
  onChange(): void;
  /** A probe failed, or had a warning. */
  onEvent(container: string, reason: 'Unhealthy' | 'ProbeWarning', message: string): void;
}

interface Probed {
  started: boolean;
  ready: boolean;
  unhealthy: string | undefined;
  readonly timers: Set<NodeJS.Timeout>;
  closed: boolean;
}

type Kind = 'Startup' | 'Liveness' | 'Readiness';

export function createProber({ runtime, log, onChange, onEvent }: ProberOptions): Prober {
  const probed = new Map<string, Probed>();

  const forget = (id: string): void => {
    const entry = probed.get(id);
    if (entry === undefined) return;
    entry.closed = true;
    for (const timer of entry.timers) clearTimeout(timer);
    probed.delete(id);
  };

  const run = (
    entry: Probed,
    kind: Kind,
    probe: Probe,
    ask: (timeoutMs: number) => Promise<ProbeResult>,
    onTurn: (ok: boolean, name: Kind) => boolean,
    { name, startedAtMs }: { name: string; startedAtMs: number },
  ): void => {
    const periodMs = (probe.periodSeconds ?? 10) * 1000;
    let streak = 0;
    let last: boolean | undefined;
    const later = (ms: number): void => {
      if (entry.closed) return;
      const timer = setTimeout(
        () => {
          entry.timers.delete(timer);
          next();
        },
        Math.min(ms, maxTimerMs),
      );
      entry.timers.add(timer);
    };
    const turn = async (): Promise<void> => {
      // The others wait until the container is past its start.
      if (kind !== 'Startup' && !entry.started) return later(Math.min(periodMs, 1000));
      const { outcome, output } = await ask((probe.timeoutSeconds ?? 1) * 1000);
      if (entry.closed) return;
      if (outcome === 'unknown') {
        onEvent(
          name,
          'Unhealthy',
          `${kind} probe errored and resulted in unknown state: ${output}`,
        );
        return later(periodMs);
      }
      if (outcome === 'failure') onEvent(name, 'Unhealthy', `${kind} probe failed: ${output}`);
      if (outcome === 'warning') onEvent(name, 'ProbeWarning', `${kind} probe warning: ${output}`);
      const ok = outcome !== 'failure';
      streak = ok === last ? streak + 1 : 1;
      last = ok;
      const threshold = ok ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
      const goOn = streak < threshold || onTurn(ok, kind);
      if (goOn) later(periodMs);
    };
    const next = guard({ log, operation: 'probe', onError: () => later(periodMs) }, turn);
    // By a clock that was set meanwhile the container may seem to start only later.
    const ranMs = Math.max(0, Date.now() - startedAtMs);
    later(Math.max(0, (probe.initialDelaySeconds ?? 0) * 1000 - ranMs));
  };

  return {
    watch({ container, containerId, startedAtMs, podIp, before }) {
      if (probed.has(containerId)) return;
      const { startupProbe, livenessProbe, readinessProbe, name } = container;
      const entry: Probed = {
        started: startupProbe === undefined || before?.started === true,
        ready: readinessProbe === undefined || before?.ready === true,
        unhealthy: undefined,
        timers: new Set(),
        closed: false,
      };
      probed.set(containerId, entry);
      const begin = (kind: Kind, probe: Probe | undefined): void => {
        if (probe === undefined) return;
        const ask = (timeoutMs: number) =>
          runHandler(probe, { runtime, container, containerId, podIp, timeoutMs });
        run(entry, kind, probe, ask, onTurn, { name, startedAtMs });
      };
      const onTurn = (ok: boolean, kind: Kind): boolean => {
        const before = `${entry.started} ${entry.ready} ${entry.unhealthy ?? ''}`;
        if (kind === 'Readiness') entry.ready = ok;
        else if (!ok)
          entry.unhealthy = `Container ${name} failed ${kind.toLowerCase()} probe, will be restarted`;
        else if (kind === 'Startup') entry.started = true;
        if (before !== `${entry.started} ${entry.ready} ${entry.unhealthy ?? ''}`) onChange();
        return kind === 'Readiness' || (kind === 'Liveness' && ok);
      };
      if (!entry.started) begin('Startup', startupProbe);
      begin('Liveness', livenessProbe);
      begin('Readiness', readinessProbe);
    },
    keep(containerIds) {
      for (const id of probed.keys()) if (!containerIds.includes(id)) forget(id);
    },
    isReady: (container, id) => probed.get(id)?.ready ?? container.readinessProbe === undefined,
    isStarted: (container, id) => probed.get(id)?.started ?? container.startupProbe === undefined,
    isUnhealthy: id => probed.get(id)?.unhealthy,
    close() {
      for (const id of probed.keys()) forget(id);
    },
  };
}
