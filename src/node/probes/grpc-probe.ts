import { Client, credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js';
import type { Probe } from '../../api/core/v1/pod.ts';
import { goDuration } from '../../machinery/duration.ts';
import { grpcErrorText } from '../grpc-error-text.ts';
import { failure, success, type ProbeRequest, type ProbeResult } from './probe-result.ts';

/** Asks a server for its health by grpc.health.v1.Health/Check, in the kubelet's words. */
export async function grpcProbe(
  { port, service = '' }: NonNullable<Probe['grpc']>,
  { podIp, timeoutMs }: Pick<ProbeRequest, 'podIp' | 'timeoutMs'>,
): Promise<ProbeResult> {
  const address = `${podIp.includes(':') ? `[${podIp}]` : podIp}:${port}`;
  const deadline = Date.now() + timeoutMs;
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.primary_user_agent': 'kube-probe/1.32',
    'grpc.enable_http_proxy': 0,
    'grpc.initial_reconnect_backoff_ms': 100,
  });
  try {
    if (!(await connects(client, deadline)))
      return failure(
        `timeout: failed to connect service ${JSON.stringify(address)} within ${goDuration(timeoutMs)}: context deadline exceeded`,
      );
    const serving = await check(client, service, deadline);
    return serving === 'SERVING'
      ? success
      : failure(`service unhealthy (responded with ${JSON.stringify(serving)})`);
  } catch (error) {
    return failure(checkErrorText(error as ServiceError, timeoutMs));
  } finally {
    client.close();
  }
}

/** A connection that is refused is tried again until the deadline, as in the kubelet. */
const connects = (client: Client, deadline: number): Promise<boolean> =>
  new Promise(resolve => client.waitForReady(deadline, error => resolve(error === undefined)));

const servingStatuses = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;

function check(client: Client, service: string, deadline: number): Promise<string> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      '/grpc.health.v1.Health/Check',
      encodeRequest,
      decodeServingStatus,
      service,
      new Metadata(),
      { deadline },
      (error, serving) => {
        if (error === null) resolve(serving ?? 'UNKNOWN');
        else reject(error);
      },
    );
  });
}

const varintBits = 7;

/** HealthCheckRequest: field 1, the service. */
function encodeRequest(service: string): Buffer {
  const name = Buffer.from(service);
  if (name.length === 0) return Buffer.of();
  const length: number[] = [];
  for (let rest = name.length; rest > 0; rest >>= varintBits)
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
  return Buffer.concat([Buffer.of(0x0a, ...length), name]);
}

/** HealthCheckResponse: field 1, an enum; absent it is UNKNOWN. */
function decodeServingStatus(message: Buffer): string {
  const code = message[0] === 0x08 ? (message[1] ?? 0) : 0;
  return servingStatuses[code] ?? String(code);
}

function checkErrorText(error: ServiceError, timeoutMs: number): string {
  if (error.code === status.UNIMPLEMENTED)
    return `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${error.details}`;
  if (error.code === status.DEADLINE_EXCEEDED)
    return `timeout: health rpc did not complete within ${goDuration(timeoutMs)}`;
  return `error: health rpc probe failed: ${grpcErrorText(error)}`;
}
