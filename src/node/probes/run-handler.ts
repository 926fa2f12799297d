import type { Probe } from '../../api/core/v1/pod.ts';
import { RuntimeError } from '../runtime/runtime-error.ts';
import { execProbe } from './exec-probe.ts';
import { grpcProbe } from './grpc-probe.ts';
import { httpProbe } from './http-probe.ts';
import { failure, type ProbeRequest, type ProbeResult } from './probe-result.ts';
import { tcpProbe } from './tcp-probe.ts';

export type Handler = Pick<Probe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'>;

/** Asks a container once: by a command, an HTTP GET, a TCP connection or a gRPC health check. */
export async function runHandler(handler: Handler, request: ProbeRequest): Promise<ProbeResult> {
  const { exec, httpGet, tcpSocket, grpc } = handler;
  try {
    if (exec !== undefined) return await execProbe(exec.command ?? [], request);
    if (httpGet !== undefined) return await httpProbe(httpGet, request);
    if (tcpSocket !== undefined) return await tcpProbe(tcpSocket, request);
    if (grpc !== undefined) return await grpcProbe(grpc, request);
    return failure('missing probe handler');
  } catch (error) {
    const { message } = error as Error;
    return error instanceof RuntimeError
      ? { outcome: 'unknown', output: message, summary: message }
      : failure(message);
  }
}
