import type { Container } from '../../api/core/v1/pod.ts';
import type { StreamingRuntime } from '../runtime/streaming-runtime.ts';

export interface ProbeRequest {
  readonly runtime: Pick<StreamingRuntime, 'execSync'>;
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string;
  readonly timeoutMs: number;
}

export interface ProbeResult {
  /** `warning` counts as a success; `unknown`: the container could not be asked, so that nothing is known. */
  readonly outcome: 'success' | 'warning' | 'failure' | 'unknown';
  /** What happened; it may quote what the container said. */
  readonly output: string;
  /** What happened, without a word of the container's: that may hold secrets. */
  readonly summary: string;
}

export const success: ProbeResult = { outcome: 'success', output: '', summary: '' };

/** A failure that quotes nothing. */
export const failure = (text: string): ProbeResult => ({
  outcome: 'failure',
  output: text,
  summary: text,
});

/** An error of a connection as Go prints it. */
export const dialErrorText = (error: Error, host: string, port: number): string =>
  (error as NodeJS.ErrnoException).code === 'ECONNREFUSED'
    ? `dial tcp ${host}:${port}: connect: connection refused`
    : error.message;

/** @throws Error when the container has no port of that name */
export function resolvePort(port: string | number, container: Container): number {
  if (typeof port === 'number') return port;
  const named =
    (container.ports ?? []).find(each => each.name === port)?.containerPort ?? Number(port);
  if (!Number.isInteger(named))
    throw new Error(`couldn't find port: ${port} in container ${container.name}`);
  return named;
}
