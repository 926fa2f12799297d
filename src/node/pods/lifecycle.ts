import { setTimeout as delay } from 'node:timers/promises';
import type { Container } from '../../api/core/v1/pod.ts';
import { runHandler } from '../probes/run-handler.ts';
import type { StreamingRuntime } from '../runtime/streaming-runtime.ts';

type Hook = NonNullable<NonNullable<Container['lifecycle']>['preStop']>;

export interface HookRequest {
  readonly runtime: Pick<StreamingRuntime, 'execSync'>;
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string;
  readonly timeoutMs: number;
}

/** Runs a lifecycle hook to its end. @throws Error with what it said, without its output: that may hold secrets */
export async function runHook(hook: Hook, request: HookRequest): Promise<void> {
  if (hook.sleep !== undefined) {
    await delay(Math.min(hook.sleep.seconds * 1000, request.timeoutMs));
    return;
  }
  const result = await runHandler(hook, request);
  if (result.outcome === 'failure' || result.outcome === 'unknown') throw new Error(result.summary);
}
