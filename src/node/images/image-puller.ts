import type { Container, Pod } from '../../api/core/v1/pod.ts';
import type { Secret } from '../../api/core/v1/secret.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { createBackoff } from '../../machinery/backoff.ts';
import { goDuration } from '../../machinery/duration.ts';
import { fieldPathOf } from '../field-path.ts';
import type { AuthConfig, Image, PodSandboxConfig, Runtime } from '../runtime/runtime.ts';
import { parseImageName } from './image-name.ts';
import { createKeyring } from './keyring.ts';

export type ImageErrorReason =
  | 'ErrImagePull'
  | 'ImagePullBackOff'
  | 'ErrImageNeverPull'
  | 'InvalidImageName'
  | 'ImageInspectError';

/** `message` is what the container's waiting state shows. */
export class ImageError extends Error {
  readonly reason: ImageErrorReason;
  /** When another try is worth it, in milliseconds. */
  readonly retryAfterMs: number;

  constructor(
    reason: ImageErrorReason,
    message: string,
    retryAfterMs: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'ImageError';
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

export interface ImageRequest {
  readonly pod: Pod;
  readonly container: Container;
  /** Those of the pod's pull secrets that are there. */
  readonly pullSecrets: readonly Secret[];
  readonly sandboxConfig?: PodSandboxConfig;
}

export interface ImagePuller {
  /** Makes sure that the image is here, by the pull policy. @throws ImageError */
  ensureImage(request: ImageRequest): Promise<{ imageRef: string; image: Image }>;
  /** Forgets the back-off of a pod's pulls. */
  forget(podUid: string): void;
}

export interface ImagePullerOptions {
  readonly runtime: Runtime;
  readonly recorder: EventRecorder;
}

/** What cannot mend itself is looked at again so often. */
const settledRetryMs = 60_000;

/** kubelet's image manager. */
export function createImagePuller({ runtime, recorder }: ImagePullerOptions): ImagePuller {
  const backoff = createBackoff({ initialMs: 10_000, maxMs: 300_000 });
  const failures = new Map<string, string>();
  const keysOf = new Map<string, Set<string>>();
  const pulls = new Map<string, Promise<string>>();

  const pullOnce = (
    image: string,
    auth: AuthConfig | undefined,
    sandbox: PodSandboxConfig | undefined,
  ): Promise<string> => {
    const key = JSON.stringify([image, auth?.username, auth?.password]);
    let pull = pulls.get(key);
    if (pull === undefined) {
      pull = runtime.pullImage(image, auth, sandbox).finally(() => pulls.delete(key));
      pulls.set(key, pull);
    }
    return pull;
  };

  /** All that match are tried; without a match the pull is anonymous. */
  const pullWith = async (
    name: ReturnType<typeof parseImageName>,
    { pullSecrets, sandboxConfig }: ImageRequest,
  ): Promise<string> => {
    const credentials: (AuthConfig | undefined)[] = createKeyring(pullSecrets).lookup(
      name.repository,
    );
    if (credentials.length === 0) credentials.push(undefined);
    const errors: string[] = [];
    for (const auth of credentials) {
      try {
        return await pullOnce(name.full, auth, sandboxConfig);
      } catch (error) {
        errors.push((error as Error).message);
      }
    }
    throw new Error(errors.length === 1 ? errors[0] : `[${errors.join(', ')}]`);
  };

  return {
    async ensureImage(request) {
      const { pod, container } = request;
      const wanted = container.image ?? '';
      const shown = JSON.stringify(wanted);
      const tell = (type: 'Normal' | 'Warning', reason: string, message: string): void =>
        recorder.event(pod, type, reason, message, fieldPathOf(pod, container.name));
      let name: ReturnType<typeof parseImageName>;
      try {
        name = parseImageName(wanted);
      } catch (error) {
        const { message } = error as Error;
        tell('Warning', 'InspectFailed', message);
        throw new ImageError('InvalidImageName', message, settledRetryMs);
      }
      const present = await runtime.imageStatus(name.full);
      if (present !== undefined && container.imagePullPolicy !== 'Always') {
        tell('Normal', 'Pulled', `Container image ${shown} already present on machine`);
        return { imageRef: present.id, image: present };
      }
      if (container.imagePullPolicy === 'Never') {
        const message = `Container image ${shown} is not present with pull policy of Never`;
        tell('Warning', 'ErrImageNeverPull', message);
        throw new ImageError('ErrImageNeverPull', message, settledRetryMs);
      }
      const uid = pod.metadata.uid ?? '';
      const key = `${uid}_${wanted}`;
      const leftMs = backoff.remaining(key);
      if (leftMs > 0) {
        const message = `Back-off pulling image ${shown}`;
        tell('Normal', 'BackOff', message);
        throw new ImageError(
          'ImagePullBackOff',
          `${message}: ErrImagePull: ${failures.get(key) ?? ''}`,
          leftMs,
        );
      }
      tell('Normal', 'Pulling', `Pulling image ${shown}`);
      const startedAt = performance.now();
      try {
        const ref = await pullWith(name, request);
        const image = await runtime.imageStatus(ref);
        if (image === undefined)
          throw new Error(`the image ${shown} is not there after it was pulled`);
        const took = goDuration(Math.round(performance.now() - startedAt));
        tell(
          'Normal',
          'Pulled',
          `Successfully pulled image ${shown} in ${took} (${took} including waiting). Image size: ${image.size} bytes.`,
        );
        backoff.reset(key);
        return { imageRef: ref, image };
      } catch (error) {
        const { message } = error as Error;
        tell('Warning', 'Failed', `Failed to pull image ${shown}: ${message}`);
        failures.set(key, message);
        keysOf.set(uid, (keysOf.get(uid) ?? new Set()).add(key));
        backoff.next(key);
        // The next look finds the back-off, and says so.
        throw new ImageError('ErrImagePull', message, 1000, { cause: error });
      }
    },
    forget(podUid) {
      for (const key of keysOf.get(podUid) ?? []) {
        backoff.reset(key);
        failures.delete(key);
      }
      keysOf.delete(podUid);
    },
  };
}
