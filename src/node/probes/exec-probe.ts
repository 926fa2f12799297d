import { RuntimeError } from '../runtime/runtime-error.ts';
import { failure, type ProbeRequest, type ProbeResult } from './probe-result.ts';

/** As much of a command's output as the kubelet takes. */
const maxOutputBytes = 10 * 1024;

/** Runs a command in the container. @throws RuntimeError where the runtime could not be asked */
export async function execProbe(
  command: readonly string[],
  { runtime, containerId, timeoutMs }: ProbeRequest,
): Promise<ProbeResult> {
  const seconds = Math.max(1, Math.ceil(timeoutMs / 1000));
  try {
    const { exitCode, stdout, stderr } = await runtime.execSync(containerId, command, seconds);
    return {
      outcome: exitCode === 0 ? 'success' : 'failure',
      output: Buffer.concat([stdout, stderr]).subarray(0, maxOutputBytes).toString().trimEnd(),
      summary: `command '${command.join(' ')}' exited with ${exitCode}`,
    };
  } catch (error) {
    if (!(error instanceof RuntimeError) || error.code !== 'timeout') throw error;
    return failure(`command timed out: "${command.join(' ')}" timed out after ${seconds}s`);
  }
}
