import type { StreamingRuntime } from '../streaming-runtime.ts';
import type { Call } from './cri-connection.ts';

/** The runtime enforces the limit of `ExecSync`; a call ends this much later at the latest. */
const timeoutMarginMs = 2000;

export function criStreaming(call: Call): StreamingRuntime {
  const url = async (method: string, request: object): Promise<string> =>
    (await call<{ url: string }>(method, request)).url;
  return {
    execSync: (containerId, cmd, timeoutSeconds) =>
      call(
        'ExecSync',
        { containerId, cmd, timeout: String(timeoutSeconds) },
        timeoutSeconds === 0 ? undefined : timeoutSeconds * 1000 + timeoutMarginMs,
      ),
    exec: ({ command, ...request }) => url('Exec', { ...request, cmd: command }),
    attach: request => url('Attach', request),
    portForward: (podSandboxId, port) => url('PortForward', { podSandboxId, port }),
  };
}
