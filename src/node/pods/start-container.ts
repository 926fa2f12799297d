import type { Container, Pod } from '../../api/core/v1/pod.ts';
import { buildEnvironment, ContainerConfigError } from '../env/build-environment.ts';
import { confidentialValues, withoutValues } from '../env/without-values.ts';
import { ImageError } from '../images/image-error.ts';
import type { ReadyImage } from '../images/image-puller.ts';
import type { Mount, PodSandboxConfig } from '../runtime/runtime.ts';
import { containerConfig } from './container-config.ts';
import { runHook } from './lifecycle.ts';
import { fieldPathOf } from '../field-path.ts';
import { podFolder, uidOf } from './names.ts';
import type { Waiting } from './status.ts';
import { graceSecondsOf } from './stop-pod.ts';
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

/** Pull, environment, mounts, create, start, postStart: kuberuntime's startContainer. @throws StartError */
export async function startContainer(
  request: StartRequest,
  services: WorkerServices,
): Promise<string> {
  const { pod, container } = request;
  const { runtime, recorder } = services;
  const tell = (type: 'Normal' | 'Warning', reason: string, message: string): void =>
    recorder.event(pod, type, reason, message, fieldPathOf(pod, container.name));
  const { imageRef, image } = await pull(request, services, tell);

  let config;
  let values: string[] = [];
  const tellFailure = (reason: string, { message }: Error): StartError => {
    const told = withoutValues(message, values);
    tell('Warning', 'Failed', `Error: ${told}`);
    return new StartError({ reason, message: told }, configRetryMs);
  };
  try {
    const environment = await buildEnvironment({
      pod,
      container,
      references: services.references,
      podIps: request.podIps,
      hostIp: services.hostIp,
      nodeName: services.nodeName,
      serviceEnv: pod.spec.enableServiceLinks === false ? {} : services.serviceEnv,
      nameRule: services.nameRule,
    });
    values = confidentialValues(environment);
    for (const message of environment.skipped)
      recorder.event(pod, 'Warning', 'InvalidEnvironmentVariableNames', message);
    const mounts = await mountsOf(request, services, text => environment.expand(text));
    config = containerConfig({ ...request, imageRef, image, environment, mounts });
  } catch (error) {
    const reason =
      error instanceof ContainerConfigError ? 'CreateContainerConfigError' : 'CreateContainerError';
    throw tellFailure(reason, error as Error);
  }

  const id = await runtime
    .createContainer(request.sandboxId, config, request.sandbox)
    .catch((error: Error) => {
      throw tellFailure('CreateContainerError', error);
    });
  tell('Normal', 'Created', `Created container: ${container.name}`);
  await runtime.startContainer(id).catch((error: Error) => {
    throw tellFailure('RunContainerError', error);
  });
  tell('Normal', 'Started', `Started container ${container.name}`);
  const hook = container.lifecycle?.postStart;
  if (hook !== undefined) {
    await runHook(hook, {
      runtime,
      container,
      containerId: id,
      podIp: request.podIps[0] ?? '',
      timeoutMs: hookTimeoutMs,
    }).catch(async () => {
      tell('Warning', 'FailedPostStartHook', 'PostStartHook failed');
      tell('Normal', 'Killing', 'FailedPostStartHook');
      await runtime.stopContainer(id, graceSecondsOf(pod));
    });
  }
  return id;
}

type Tell = (type: 'Normal' | 'Warning', reason: string, message: string) => void;

async function pull(
  { pod, container, sandbox }: StartRequest,
  { images }: WorkerServices,
  tell: Tell,
): Promise<ReadyImage> {
  try {
    return await images.ensureImage({ pod, container, sandboxConfig: sandbox });
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    tell('Warning', 'Failed', `Error: ${error.reason}`);
    throw new StartError({ reason: error.reason, message: error.message }, error.retryAfterMs);
  }
}

async function mountsOf(
  request: StartRequest,
  services: WorkerServices,
  expand: (text: string) => string,
): Promise<Mount[]> {
  const { pod, container, attempt: number, hostsFile } = request;
  const mounts = await services.volumes.containerMounts(pod, container, expand);
  const taken = new Set(mounts.map(each => each.containerPath));
  if (!taken.has('/etc/hosts')) {
    mounts.push({
      containerPath: '/etc/hosts',
      hostPath: hostsFile,
      readonly: container.securityContext?.readOnlyRootFilesystem === true,
    });
  }
  const words = container.terminationMessagePath ?? '';
  if (words !== '' && !taken.has(words)) {
    const podDir = podFolder(services.dataDir, uidOf(pod));
    const hostPath = await makeTerminationMessageFile(podDir, container.name, number);
    mounts.push({ containerPath: words, hostPath, readonly: false });
  }
  return mounts;
}
