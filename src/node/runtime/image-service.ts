import type { PodSandboxConfig } from './sandbox-runtime.ts';

/** The images on this node. */
export interface ImageService {
  /** @returns undefined where the image is not present */
  imageStatus(image: string): Promise<Image | undefined>;
  listImages(): Promise<Image[]>;
  /** @returns the image ref (digest) to create containers from. @throws RuntimeError */
  pullImage(image: string, auth?: AuthConfig, sandboxConfig?: PodSandboxConfig): Promise<string>;
  /** Idempotent. */
  removeImage(image: string): Promise<void>;
}

export interface Image {
  id: string;
  repoTags: string[];
  repoDigests: string[];
  /** Bytes. */
  size: number;
  /** The image's USER: a number, or a name; both absent for root. */
  uid?: number;
  username: string;
}

export interface AuthConfig {
  username?: string;
  password?: string;
  auth?: string;
  serverAddress?: string;
  identityToken?: string;
  registryToken?: string;
}
