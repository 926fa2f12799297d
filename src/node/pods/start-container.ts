import type { Container, Pod } from '../../api/core/v1/pod.ts';
import { abortable } from '../abortable.ts';
import { buildEnvironment, ContainerConfigError } from '../env/build-environment.ts';
import { confidentialValues, withoutValues } from '../env/without-values.ts';
import { ImageError } from '../images/image-error.ts';
import type { ReadyImage } from '../images/image-puller.ts';
import type { Mount, PodSandboxConfig } from '../runtime/runtime.ts';
import { containerConfig } from './container-config.ts';
import { runHook } from './lifecycle.ts';
import { fieldPathOf } from '../field-path.ts';
import { podFolder, uidOf } from './names.ts';
import type { Waiting } from './container-status.ts';
import { graceSecondsOf } from './container-stops.ts';
import { makeTerminationMessageFile } from './termination-message.ts';
import type { WorkerServices } from './worker-context.ts';

export interface StartRequest {
  readonly pod: Pod;
  readonly container: Container;
  readonly attempt: number;
  readonly sandboxId: string;
  readonly sandbox: PodSandboxConfig;
  readonly podIps: readonly string[];
  readonly hostsFile: string;
  /** Aborts when the pod is terminating: nothing is started any more. */
  readonly signal: AbortSignal;
}

/** Why a container was not started; `retryMs` until it is worth another try. */
export class StartError extends Error {
  readonly waiting: Waiting;
  readonly retryMs: number;

  constructor(waiting: Waiting, retryMs: number) {
    super(waiting.message ?? waiting.reason);
    this.name = 'StartError';
    this.waiting = waiting;
    this.retryMs = retryMs;
  }
}

const configRetryMs = 10_000;
const hookTimeoutMs = 60_000;

/**
 * Pull, environment, mounts, create, start, postStart: kuberuntime's startContainer.
 * @throws StartError; the reason of the signal, once that aborts
 */
export async function startContainer(
  request: StartRequest,
  services: WorkerServices,
): Promise<void> {
  const { pod, container, signal } = request;
  const { runtime, recorder } = services;
  const report: Report = (type, reason, message) =>
    recorder.event(pod, type, reason, message, fieldPathOf(pod, container.name));
  const { imageRef, image } = await abortable(pull(request, services, report), signal);

  let config;
  let values: string[] = [];
  const failure = (reason: string, { message }: Error): StartError => {
    const shown = withoutValues(message, values);
    report('Warning', 'Failed', `Error: ${shown}`);
    return new StartError({ reason, message: shown }, configRetryMs);
  };
  try {
    const environment = await abortable(
      buildEnvironment({
        pod,
        container,
        references: services.references,
        podIps: request.podIps,
        hostIp: services.hostIp,
        nodeName: services.nodeName,
        serviceEnv: pod.spec.enableServiceLinks === false ? {} : services.serviceEnv,
        nameRule: services.nameRule,
      }),
      signal,
    );
    values = confidentialValues(environment);
    for (const message of environment.skipped)
      recorder.event(pod, 'Warning', 'InvalidEnvironmentVariableNames', message);
    const mounts = await mountsOf(request, services, text => environment.expand(text));
    config = containerConfig({ ...request, imageRef, image, environment, mounts });
  } catch (error) {
    const reason =
      error instanceof ContainerConfigError ? 'CreateContainerConfigError' : 'CreateContainerError';
    signal.throwIfAborted();
    throw failure(reason, error as Error);
  }

  signal.throwIfAborted();
  const id = await runtime
    .createContainer(request.sandboxId, config, request.sandbox)
    .catch((error: Error) => {
      throw failure('CreateContainerError', error);
    });
  report('Normal', 'Created', `Created container: ${container.name}`);
  // The next sync removes it: a container that was never started.
  signal.throwIfAborted();
  await runtime.startContainer(id).catch((error: Error) => {
    throw failure('RunContainerError', error);
  });
  report('Normal', 'Started', `Started container ${container.name}`);
  const hook = container.lifecycle?.postStart;
  if (hook !== undefined) {
    const running = runHook(hook, {
      runtime,
      container,
      containerId: id,
      podIp: request.podIps[0] ?? '',
      timeoutMs: hookTimeoutMs,
    });
    await abortable(running, signal).catch(async () => {
      signal.throwIfAborted();
      report('Warning', 'FailedPostStartHook', 'PostStartHook failed');
      report('Normal', 'Killing', 'FailedPostStartHook');
      await runtime.stopContainer(id, graceSecondsOf(pod));
    });
  }
}

type Report = (type: 'Normal' | 'Warning', reason: string, message: string) => void;

async function pull(
  { pod, container, sandbox }: StartRequest,
  { images }: WorkerServices,
  report: Report,
): Promise<ReadyImage> {
  try {
    return await images.ensureImage({ pod, container, sandboxConfig: sandbox });
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    report('Warning', 'Failed', `Error: ${error.reason}`);
    throw new StartError({ reason: error.reason, message: error.message }, error.retryAfterMs);
  }
}

async function mountsOf(
  request: StartRequest,
  services: WorkerServices,
  expand: (text: string) => string,
): Promise<Mount[]> {
  const { pod, container, attempt, hostsFile } = request;
  const mounts = await services.volumes.containerMounts(pod, container, expand);
  const taken = new Set(mounts.map(each => each.containerPath));
  if (!taken.has('/etc/hosts')) {
    mounts.push({
      containerPath: '/etc/hosts',
      hostPath: hostsFile,
      readonly: container.securityContext?.readOnlyRootFilesystem === true,
    });
  }
  const messagePath = container.terminationMessagePath ?? '';
  if (messagePath !== '' && !taken.has(messagePath)) {
    const podDir = podFolder(services.dataDir, uidOf(pod));
    const hostPath = await makeTerminationMessageFile(podDir, container.name, attempt);
    mounts.push({ containerPath: messagePath, hostPath, readonly: false });
  }
  return mounts;
}
