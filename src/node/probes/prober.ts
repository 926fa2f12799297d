import type { Container, Probe } from '../../api/core/v1/pod.ts';
import type { Logger } from '../../machinery/log.ts';
import type { StreamingRuntime } from '../runtime/streaming-runtime.ts';
import type { ProbeResult } from './probe-result.ts';
import { runHandler } from './run-handler.ts';
import { runProbe } from './run-probe.ts';

/** A container that runs. */
export interface ProbedContainer {
  readonly container: Container;
  readonly containerId: string;
  readonly startedAtMs: number;
  readonly podIp: string;
  /** What an agent before this one found: it holds until a probe says otherwise (KEP-4781). */
  readonly before: { readonly started: boolean; readonly ready: boolean } | undefined;
}

/** Why a container has to be restarted. */
export interface Unhealthy {
  readonly message: string;
  /** The grace period of the probe; absent: that of the pod. */
  readonly graceSeconds?: number | undefined;
}

/** What the probes of one pod's containers have found. */
export interface Prober {
  /** Begins with a container; idempotent. */
  watch(probed: ProbedContainer): void;
  /** Forgets all other containers. */
  keep(containerIds: readonly string[]): void;
  isReady(container: Container, containerId: string): boolean;
  isStarted(container: Container, containerId: string): boolean;
  unhealthy(containerId: string): Unhealthy | undefined;
  /** Stops every probe; a sync that is still under way begins with none. */
  close(): void;
}

export interface ProberOptions {
  readonly runtime: Pick<StreamingRuntime, 'execSync'>;
  readonly log?: Pick<Logger, 'error'> | undefined;
  /** What is known of a container changed. */
  onChange(): void;
  /** A probe failed, or had a warning. */
  onEvent(container: string, reason: 'Unhealthy' | 'ProbeWarning', message: string): void;
}

interface Probed {
  started: boolean;
  ready: boolean;
  unhealthy: Unhealthy | undefined;
  readonly stops: (() => void)[];
}

type Kind = 'Startup' | 'Liveness' | 'Readiness';

export function createProber({ runtime, log, onChange, onEvent }: ProberOptions): Prober {
  const probed = new Map<string, Probed>();
  let closed = false;

  const forget = (id: string): void => {
    for (const stop of probed.get(id)?.stops ?? []) stop();
    probed.delete(id);
  };

  const report = (container: string, kind: Kind, { outcome, output }: ProbeResult): void => {
    if (outcome === 'unknown')
      onEvent(
        container,
        'Unhealthy',
        `${kind} probe errored and resulted in unknown state: ${output}`,
      );
    if (outcome === 'failure') onEvent(container, 'Unhealthy', `${kind} probe failed: ${output}`);
    if (outcome === 'warning')
      onEvent(container, 'ProbeWarning', `${kind} probe warning: ${output}`);
  };

  const start = (
    entry: Probed,
    kind: Kind,
    probe: Probe | undefined,
    { container, containerId, podIp, startedAtMs }: ProbedContainer,
  ): void => {
    if (probe === undefined) return;
    const { name } = container;
    const stop = runProbe({
      probe,
      startedAtMs,
      log,
      isDue: () => kind === 'Startup' || entry.started,
      ask: timeoutMs => runHandler(probe, { runtime, container, containerId, podIp, timeoutMs }),
      onResult: result => report(name, kind, result),
      onThreshold(succeeded) {
        if (apply(entry, { kind, probe, name, succeeded })) onChange();
        return kind === 'Readiness' || (kind === 'Liveness' && succeeded);
      },
    });
    entry.stops.push(stop);
  };

  return {
    watch(container) {
      const { containerId, before } = container;
      if (closed || probed.has(containerId)) return;
      const { startupProbe, livenessProbe, readinessProbe } = container.container;
      const entry: Probed = {
        started: startupProbe === undefined || before?.started === true,
        ready: readinessProbe === undefined || before?.ready === true,
        unhealthy: undefined,
        stops: [],
      };
      probed.set(containerId, entry);
      if (!entry.started) start(entry, 'Startup', startupProbe, container);
      start(entry, 'Liveness', livenessProbe, container);
      start(entry, 'Readiness', readinessProbe, container);
    },
    keep(containerIds) {
      for (const id of probed.keys()) if (!containerIds.includes(id)) forget(id);
    },
    isReady: (container, id) => probed.get(id)?.ready ?? container.readinessProbe === undefined,
    isStarted: (container, id) => probed.get(id)?.started ?? container.startupProbe === undefined,
    unhealthy: id => probed.get(id)?.unhealthy,
    close() {
      closed = true;
      for (const id of probed.keys()) forget(id);
    },
  };
}

interface Finding {
  readonly kind: Kind;
  readonly probe: Probe;
  /** The container's. */
  readonly name: string;
  readonly succeeded: boolean;
}

/** Notes what a probe found. @returns whether that is new */
function apply(entry: Probed, { kind, probe, name, succeeded }: Finding): boolean {
  const { started, ready, unhealthy } = entry;
  if (kind === 'Readiness') entry.ready = succeeded;
  else if (!succeeded)
    entry.unhealthy = {
      message: `Container ${name} failed ${kind.toLowerCase()} probe, will be restarted`,
      graceSeconds: probe.terminationGracePeriodSeconds,
    };
  else if (kind === 'Startup') entry.started = true;
  return entry.started !== started || entry.ready !== ready || entry.unhealthy !== unhealthy;
}
