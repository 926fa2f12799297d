import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { tar, type TarEntry } from './tar.ts';

export interface ImageConfig {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly User?: string;
  readonly WorkingDir?: string;
}

/** A blob of an image, by its digest. */
export interface Blob {
  readonly digest: string;
  readonly mediaType: string;
  readonly content: Buffer;
}

/** An image of one layer. */
export interface OciImage {
  readonly manifest: Blob;
  /** Config and layer. */
  readonly blobs: readonly Blob[];
}

const sha256 = (content: Buffer): string =>
  `sha256:${createHash('sha256').update(content).digest('hex')}`;
const blob = (mediaType: string, content: Buffer): Blob => ({
  digest: sha256(content),
  mediaType,
  content,
});
const descriptor = ({ digest, mediaType, content }: Blob): object => ({
  mediaType,
  digest,
  size: content.length,
});

export const goArch = (): string => (process.arch === 'x64' ? 'amd64' : process.arch);

export function ociImage(files: readonly TarEntry[], config: ImageConfig): OciImage {
  const layerTar = tar(files);
  const layer = blob(
    'application/vnd.oci.image.layer.v1.tar+gzip',
    gzipSync(layerTar, { level: 1 }),
  );
  const configBlob = blob(
    'application/vnd.oci.image.config.v1+json',
    Buffer.from(
      JSON.stringify({
        architecture: goArch(),
        os: 'linux',
        config,
        rootfs: { type: 'layers', diff_ids: [sha256(layerTar)] },
      }),
    ),
  );
  const manifest = blob(
    'application/vnd.oci.image.manifest.v1+json',
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        config: descriptor(configBlob),
        layers: [descriptor(layer)],
      }),
    ),
  );
  return { manifest, blobs: [configBlob, layer] };
}

/** An OCI image layout in a tar, as `ctr images import` reads it. */
export function ociArchive(image: OciImage, name: string): Buffer {
  const index = {
    schemaVersion: 2,
    manifests: [
      { ...descriptor(image.manifest), annotations: { 'io.containerd.image.name': name } },
    ],
  };
  return tar([
    { path: 'oci-layout', content: Buffer.from('{"imageLayoutVersion":"1.0.0"}') },
    { path: 'index.json', content: Buffer.from(JSON.stringify(index)) },
    ...[image.manifest, ...image.blobs].map(({ digest, content }) => ({
      path: `blobs/${digest.replace(':', '/')}`,
      content,
    })),
  ]);
}
