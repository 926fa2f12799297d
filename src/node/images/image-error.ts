/** Reasons as the kubelet shows them in a container's waiting state. */
export type ImageErrorReason =
  | 'ErrImagePull'
  | 'ImagePullBackOff'
  | 'ErrImageNeverPull'
  | 'InvalidImageName'
  | 'ImageInspectError'
  | 'RegistryUnavailable'
  | 'SignatureValidationFailed';

/** `message` is what the container's waiting state shows. */
export class ImageError extends Error {
  readonly reason: ImageErrorReason;
  /** When another try is worth it, in milliseconds. */
  readonly retryAfterMs: number;

  constructor(reason: ImageErrorReason, message: string, retryAfterMs: number) {
    super(message);
    this.name = 'ImageError';
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

/** A runtime names these two itself, in front of what it says (cri-api's errors). */
const named = {
  RegistryUnavailable: 'the registry is unavailable',
  SignatureValidationFailed: 'the signature validation failed',
} as const;

/** A pull that failed, by what the runtime says of it. */
export function pullError(image: string, message: string, retryAfterMs: number): ImageError {
  for (const [reason, meaning] of Object.entries(named) as [keyof typeof named, string][]) {
    if (!message.startsWith(reason)) continue;
    const rest = message.slice(reason.length);
    const text = `image pull failed for ${image} because ${meaning}${rest}`;
    return new ImageError(reason, text, retryAfterMs);
  }
  return new ImageError('ErrImagePull', message, retryAfterMs);
}
