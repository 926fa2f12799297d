import type { AuthConfig, ImageService } from '../runtime/image-service.ts';
import type { PodSandboxConfig } from '../runtime/sandbox-runtime.ts';
import { aggregate } from '../volumes/aggregate.ts';
import type { PullCredential } from './keyring.ts';
import { redact } from './redact.ts';

export interface PullRequest {
  /** With tag or digest. */
  readonly image: string;
  /** Tried one after another; with none the pull is anonymous. */
  readonly credentials: readonly PullCredential[];
  readonly sandboxConfig?: PodSandboxConfig;
}

export interface PullResult {
  readonly imageRef: string;
  /** What the registry took; undefined for an anonymous pull. */
  readonly used?: PullCredential;
}

export interface PullImageOptions {
  readonly runtime: Pick<ImageService, 'pullImage'>;
  /** Words of credentials that the runtime has told, and may have logged. */
  readonly onTold: (words: readonly string[]) => void;
}

/** Pulls of the same image with the same credentials at the same time are one. @throws Error fit to be shown */
export function createPullImage({
  runtime,
  onTold,
}: PullImageOptions): (request: PullRequest) => Promise<PullResult> {
  const underWay = new Map<string, Promise<string>>();

  const pullOnce = (
    image: string,
    auth: AuthConfig | undefined,
    sandbox: PodSandboxConfig | undefined,
  ): Promise<string> => {
    const key = JSON.stringify([image, auth?.username, auth?.password]);
    let pull = underWay.get(key);
    if (pull === undefined) {
      pull = runtime.pullImage(image, auth, sandbox).finally(() => underWay.delete(key));
      underWay.set(key, pull);
    }
    return pull;
  };

  return async ({ image, credentials, sandboxConfig }) => {
    const attempts: readonly (PullCredential | undefined)[] =
      credentials.length === 0 ? [undefined] : credentials;
    const failures: Error[] = [];
    for (const used of attempts) {
      try {
        const imageRef = await pullOnce(image, used?.auth, sandboxConfig);
        return { imageRef, ...(used === undefined ? {} : { used }) };
      } catch (error) {
        const { text, told } = redact(
          (error as Error).message,
          credentials.map(({ auth }) => auth),
          image,
        );
        if (told.length > 0) onTold(told);
        // Without its cause: that is not redacted.
        failures.push(new Error(text));
      }
    }
    throw aggregate(failures);
  };
}
