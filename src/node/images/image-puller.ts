import type { Container, Pod } from '../../api/core/v1/pod.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { goDuration } from '../../machinery/duration.ts';
import { fieldPathOf } from '../field-path.ts';
import type { Image, ImageService } from '../runtime/image-service.ts';
import type { PodSandboxConfig } from '../runtime/sandbox-runtime.ts';
import { PullSecretError } from './docker-config.ts';
import { ImageError, pullError } from './image-error.ts';
import { parseImageName, type ImageName } from '../../machinery/image-name.ts';
import { createKeyring, type PullCredential } from './keyring.ts';
import { createPullBackoff } from './pull-backoff.ts';
import { createPullImage } from './pull-image.ts';
import type { PullRecords } from './pull-records.ts';
import type { PullSecrets } from './pull-secrets.ts';

export interface ImageRequest {
  readonly pod: Pod;
  readonly container: Container;
  readonly sandboxConfig?: PodSandboxConfig;
}

export interface ReadyImage {
  /** To create containers from. */
  readonly imageRef: string;
  readonly image: Image;
}

export interface ImagePuller {
  /** Makes sure that the image is here, by the pull policy, and that the pod may use it. @throws ImageError */
  ensureImage(request: ImageRequest): Promise<ReadyImage>;
  /** Ends the back-off of a pod's pulls: what they waited for has changed. */
  resetBackoff(podUid: string): void;
  /** The pod is gone. */
  forget(podUid: string): void;
}

export interface ImagePullerOptions {
  readonly runtime: ImageService;
  readonly recorder: EventRecorder;
  readonly pullSecrets: PullSecrets;
  readonly records: PullRecords;
  /** Words of credentials that the runtime has told, and may have logged. */
  readonly onTold: (words: readonly string[]) => void;
}

/** What no event mends is looked at again so often, as the kubelet does. */
const lookAgainMs = 10_000;
/** Soon after a failure: the next look finds the back-off, and says so. */
const backOffMs = 1000;

type Tell = (type: 'Normal' | 'Warning', reason: string, message: string) => void;

/** kubelet's image manager. */
export function createImagePuller(options: ImagePullerOptions): ImagePuller {
  const { runtime, recorder, pullSecrets, records } = options;
  const backoff = createPullBackoff();
  const pullImage = createPullImage(options);

  /** @throws ImageError */
  const inspect = async (name: ImageName, tell: Tell): Promise<Image | undefined> => {
    try {
      return await runtime.imageStatus(name.full);
    } catch (error) {
      const message = `Failed to inspect image "${name.full}": ${(error as Error).message}`;
      tell('Warning', 'InspectFailed', message);
      throw new ImageError('ImageInspectError', message, lookAgainMs);
    }
  };

  /** @throws Error fit to be shown */
  const pullRecorded = async (
    name: ImageName,
    credentials: readonly PullCredential[],
    sandboxConfig: PodSandboxConfig | undefined,
  ): Promise<ReadyImage> => {
    try {
      const { imageRef, used } = await pullImage({
        image: name.full,
        credentials,
        ...(sandboxConfig === undefined ? {} : { sandboxConfig }),
      });
      const image = await runtime.imageStatus(imageRef);
      if (image === undefined)
        throw new Error(`the image "${name.full}" is not there after it was pulled`);
      await records.succeeded(name, image.id, used);
      return { imageRef, image };
    } catch (error) {
      await records.failed(name);
      throw error;
    }
  };

  const pull = async (
    { pod, container, sandboxConfig }: ImageRequest,
    name: ImageName,
    credentials: readonly PullCredential[],
    tell: Tell,
  ): Promise<ReadyImage> => {
    const { uid = '' } = pod.metadata;
    const { image: wanted = '' } = container;
    const shown = JSON.stringify(wanted);
    const held = backoff.held(uid, wanted);
    if (held !== undefined) {
      tell('Normal', 'BackOff', `Back-off pulling image ${shown}`);
      throw new ImageError('ImagePullBackOff', held.message, held.leftMs);
    }
    await records.begin(name).catch((error: unknown) => {
      const message = `Failed to record image pull intent for container image ${shown}: ${(error as Error).message}`;
      throw new ImageError('ErrImagePull', message, lookAgainMs);
    });
    tell('Normal', 'Pulling', `Pulling image ${shown}`);
    const startedAt = performance.now();
    try {
      const ready = await pullRecorded(name, credentials, sandboxConfig);
      const took = goDuration(Math.round(performance.now() - startedAt));
      tell(
        'Normal',
        'Pulled',
        `Successfully pulled image ${shown} in ${took} (${took} including waiting). Image size: ${ready.image.size} bytes.`,
      );
      backoff.succeeded(uid, wanted);
      return ready;
    } catch (error) {
      const { message } = error as Error;
      tell('Warning', 'Failed', `Failed to pull image ${shown}: ${message}`);
      const failure = pullError(wanted, message, backOffMs);
      backoff.failed(uid, wanted, failure);
      throw failure;
    }
  };

  return {
    async ensureImage(request) {
      const { pod, container } = request;
      const { imagePullPolicy: policy = 'IfNotPresent', image: wanted = '' } = container;
      const shown = JSON.stringify(wanted);
      const tell: Tell = (type, reason, message) =>
        recorder.event(pod, type, reason, message, fieldPathOf(pod, container.name));
      const secrets = await pullSecrets.read(pod);
      const name = parseOrTell(wanted, tell);
      const present = policy === 'Always' ? undefined : await inspect(name, tell);
      let found: PullCredential[] | undefined;
      const credentials = (): PullCredential[] =>
        (found ??= createKeyring(secrets).lookup(name.repository));
      try {
        if (present !== undefined && (await records.mayUse(name, present.id, credentials))) {
          tell(
            'Normal',
            'Pulled',
            `Container image ${shown} already present on machine and can be accessed by the pod`,
          );
          return { imageRef: present.id, image: present };
        }
        if (policy === 'Never') {
          // The same where it is here for others: who may not use an image is not told of it.
          const message = `Container image ${shown} is not present with pull policy of Never`;
          tell('Warning', 'ErrImageNeverPull', message);
          throw new ImageError('ErrImageNeverPull', message, lookAgainMs);
        }
        return await pull(request, name, credentials(), tell);
      } catch (error) {
        if (!(error instanceof PullSecretError)) throw error;
        tell('Warning', 'Failed', `Failed to pull image ${shown}: ${error.message}`);
        throw new ImageError('ErrImagePull', error.message, lookAgainMs);
      }
    },
    resetBackoff: podUid => backoff.reset(podUid),
    forget(podUid) {
      backoff.reset(podUid);
      pullSecrets.forget(podUid);
    },
  };
}

/** @throws ImageError */
function parseOrTell(image: string, tell: Tell): ImageName {
  try {
    return parseImageName(image);
  } catch (error) {
    const message = `Failed to apply default image tag ${JSON.stringify(image)}: ${(error as Error).message}`;
    tell('Warning', 'InspectFailed', message);
    throw new ImageError('InvalidImageName', message, lookAgainMs);
  }
}
