import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { OciImage } from '../../src/node/runtime/archive/oci-image.ts';
import { busyboxImage, sshImage } from './images/busybox.ts';
import { redisImage } from './images/redis.ts';
import { startRegistry } from './registry.ts';

const builders: Readonly<Record<string, () => Promise<OciImage>>> = {
  busybox: () => busyboxImage(),
  redis: redisImage,
  'my-ssh-image': sshImage,
};

export interface ServedImages {
  /** In containerd's certs.d form: `docker.io` is this registry. */
  readonly hostsDir: string;
  close(): Promise<void>;
}

/** Builds images from Debian packages and serves them as if from Docker Hub. */
export async function serveImages(
  names: readonly ('busybox' | 'redis' | 'my-ssh-image')[],
  say: (line: string) => void = () => undefined,
): Promise<ServedImages> {
  const registry = await startRegistry();
  const hostsDir = await mkdtemp(path.join(tmpdir(), 'keylet-certs.d-'));
  for (const name of names) {
    const image = await builders[name]?.();
    if (image === undefined) throw new Error(`There is no image ${name}`);
    await registry.push(`library/${name}`, 'latest', image);
    say(
      `  ${name}: ${Math.round(image.blobs.reduce((sum, { content }) => sum + content.length, 0) / 1024)} KiB at ${registry.address}`,
    );
  }
  await mkdir(path.join(hostsDir, 'docker.io'));
  await writeFile(
    path.join(hostsDir, 'docker.io/hosts.toml'),
    `server = "http://${registry.address}"\n\n[host."http://${registry.address}"]\n  capabilities = ["pull", "resolve"]\n`,
  );
  return {
    hostsDir,
    async close() {
      await registry.close();
      await rm(hostsDir, { recursive: true, force: true });
    },
  };
}
