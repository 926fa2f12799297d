import { setMember } from '../../machinery/member.ts';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import type { Container, Probe } from '../../api/core/v1/pod.ts';
import { RuntimeError, type Runtime } from '../runtime/runtime.ts';

export interface HandlerRequest {
  readonly runtime: Runtime;
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string;
  readonly timeoutMs: number;
}

export interface HandlerResult {
  readonly ok: boolean;
  /** Whether the container had a say: where the runtime could not be asked, nothing is known. */
  readonly asked: boolean;
  /** What happened, with the container's own output. */
  readonly output: string;
  /** What happened, in words that are never the container's. */
  readonly summary: string;
}

/** As much of an answer's body, or of a command's output, as the kubelet reads. */
const maxOutputBytes = 10 * 1024;

type Handler = Pick<Probe, 'exec' | 'httpGet' | 'tcpSocket'>;

/** Asks once: a command, an HTTP GET or a TCP connection. */
export async function runHandler(
  handler: Handler,
  request: HandlerRequest,
): Promise<HandlerResult> {
  try {
    if (handler.exec !== undefined) return await runExec(handler.exec.command ?? [], request);
    if (handler.httpGet !== undefined) return await runHttp(handler.httpGet, request);
    if (handler.tcpSocket !== undefined) return await runTcp(handler.tcpSocket, request);
    return { ok: true, asked: true, output: '', summary: '' };
  } catch (error) {
    const { message } = error as Error;
    return {
      ok: false,
      asked: !(error instanceof RuntimeError),
      output: message,
      summary: message,
    };
  }
}

async function runExec(
  command: readonly string[],
  { runtime, containerId, timeoutMs }: HandlerRequest,
): Promise<HandlerResult> {
  const seconds = Math.max(1, Math.ceil(timeoutMs / 1000));
  try {
    const { exitCode, stdout, stderr } = await runtime.execSync(containerId, command, seconds);
    const output = Buffer.concat([stdout, stderr]).subarray(0, maxOutputBytes).toString().trimEnd();
    return {
      ok: exitCode === 0,
      asked: true,
      output,
      summary: `command '${command.join(' ')}' exited with ${exitCode}`,
    };
  } catch (error) {
    if (!(error instanceof RuntimeError) || error.code !== 'timeout') throw error;
    const text = `command timed out: "${command.join(' ')}" timed out after ${seconds}s`;
    return { ok: false, asked: true, output: text, summary: text };
  }
}

function runHttp(
  get: NonNullable<Probe['httpGet']>,
  { container, podIp, timeoutMs }: HandlerRequest,
): Promise<HandlerResult> {
  const host = get.host || podIp;
  const port = portOf(get.port, container);
  const secure = get.scheme === 'HTTPS';
  const url = `${secure ? 'https' : 'http'}://${host}:${port}${get.path || '/'}`;
  const headers: Record<string, string> = { 'user-agent': 'kube-probe/1.32', accept: '*/*' };
  for (const { name, value } of get.httpHeaders ?? [])
    setMember(headers, name.toLowerCase(), value);
  return new Promise((resolve, reject) => {
    const options = { headers, agent: false as const };
    const request = (
      secure
        ? httpsRequest(url, { ...options, rejectUnauthorized: false })
        : httpRequest(url, options)
    )
      .on('response', response => {
        let bytes = 0;
        // One that never ends would keep the node busy for good.
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > maxOutputBytes) request.destroy();
        });
        response.on('error', () => undefined);
        const code = response.statusCode ?? 0;
        const output = `HTTP probe failed with statuscode: ${code}`;
        resolve({ ok: code >= 200 && code < 400, asked: true, output, summary: output });
      })
      .on('close', () => clearTimeout(deadline))
      .on('error', error =>
        reject(
          new Error(
            error.message.startsWith('Get ')
              ? error.message
              : `Get "${url}": ${dialText(error, host, port)}`,
          ),
        ),
      )
      .end();
    const deadline = setTimeout(
      () =>
        request.destroy(
          new Error(
            `Get "${url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
          ),
        ),
      timeoutMs,
    );
  });
}

function runTcp(
  target: NonNullable<Probe['tcpSocket']>,
  { container, podIp, timeoutMs }: HandlerRequest,
): Promise<HandlerResult> {
  const host = target.host || podIp;
  const port = portOf(target.port, container);
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: timeoutMs })
      .on('connect', () => {
        socket.destroy();
        resolve({ ok: true, asked: true, output: '', summary: '' });
      })
      .on('timeout', () => {
        socket.destroy();
        reject(new Error(`dial tcp ${host}:${port}: i/o timeout`));
      })
      .on('error', error => reject(new Error(dialText(error, host, port))));
  });
}

const dialText = (error: Error, host: string, port: number): string =>
  (error as NodeJS.ErrnoException).code === 'ECONNREFUSED'
    ? `dial tcp ${host}:${port}: connect: connection refused`
    : error.message;

/** @throws Error when a named port is not there */
function portOf(port: string | number, container: Container): number {
  if (typeof port === 'number') return port;
  const named =
    (container.ports ?? []).find(each => each.name === port)?.containerPort ?? Number(port);
  if (!Number.isInteger(named))
    throw new Error(`couldn't find port: ${port} in container ${container.name}`);
  return named;
}
