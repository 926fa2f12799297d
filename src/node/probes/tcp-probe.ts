import { connect } from 'node:net';
import type { Probe } from '../../api/core/v1/pod.ts';
import {
  dialErrorText,
  resolvePort,
  success,
  type ProbeRequest,
  type ProbeResult,
} from './probe-result.ts';

/** Connects, and says nothing. @throws Error where that fails */
export function tcpProbe(
  target: NonNullable<Probe['tcpSocket']>,
  { container, podIp, timeoutMs }: ProbeRequest,
): Promise<ProbeResult> {
  const host = target.host || podIp;
  const port = resolvePort(target.port, container);
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: timeoutMs })
      .on('connect', () => {
        socket.destroy();
        resolve(success);
      })
      .on('timeout', () => {
        socket.destroy();
        reject(new Error(`dial tcp ${host}:${port}: i/o timeout`));
      })
      .on('error', error => reject(new Error(dialErrorText(error, host, port))));
  });
}
