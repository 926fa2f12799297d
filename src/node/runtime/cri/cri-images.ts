import type { Image, ImageService } from '../image-service.ts';
import { RuntimeError } from '../runtime-error.ts';
import { callTimeoutMs, type Call } from './cri-connection.ts';
import { wireSandboxConfig } from './cri-sandboxes.ts';

export function criImages(call: Call): ImageService {
  return {
    async imageStatus(image) {
      const answer = await call<{ image: WireImage | null }>(
        'ImageStatus',
        { image: { image } },
        callTimeoutMs,
      );
      return answer.image === null ? undefined : imageOf(answer.image);
    },
    async listImages() {
      const { images } = await call<{ images: WireImage[] }>('ListImages', {}, callTimeoutMs);
      return images.map(imageOf);
    },
    async pullImage(image, auth, sandbox) {
      try {
        const { imageRef } = await call<{ imageRef: string }>('PullImage', {
          image: { image },
          ...(auth === undefined ? {} : { auth }),
          ...(sandbox === undefined ? {} : { sandboxConfig: wireSandboxConfig(sandbox) }),
        });
        return imageRef;
      } catch (error) {
        throw withoutUnknown(error);
      }
    },
    removeImage: image => call('RemoveImage', { image: { image } }, callTimeoutMs),
  };
}

/** The kubelet shows the error of a failed pull without the prefix of gRPC where the code says nothing. */
function withoutUnknown(error: unknown): unknown {
  const head = 'rpc error: code = Unknown desc = ';
  return error instanceof RuntimeError && error.message.startsWith(head)
    ? new RuntimeError(error.code, error.message.slice(head.length), { cause: error.cause })
    : error;
}

type WireImage = Omit<Image, 'size' | 'uid'> & { size: string; uid: { value: string } | null };

const imageOf = ({ size, uid, ...image }: WireImage): Image => ({
  ...image,
  size: Number(size),
  ...(uid === null ? {} : { uid: Number(uid.value) }),
});
