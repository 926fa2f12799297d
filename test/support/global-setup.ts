import type { TestProject } from 'vitest/node';
import { busyboxImage } from './images/busybox.ts';
import { startKeylet } from './keylet.ts';
import { ensurePackages } from './packages.ts';
import { startRegistry } from './registry.ts';
import { serveImages } from './serve-images.ts';

const credentials = { user: 'puller', password: 'p4ssw0rd-of-the-registry' };

/** The real parts that all end-to-end files share: images, a registry with a password, one Keylet. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  await ensurePackages(line => process.stdout.write(`${line}\n`));
  const images = await serveImages(['busybox', 'redis', 'my-ssh-image']);
  const registry = await startRegistry({ credentials });
  await registry.push('private/busybox', '1', await busyboxImage());
  const keylet = await startKeylet({ args: ['--registry-hosts-dir', images.hostsDir] });
  provide('kubeconfig', keylet.kubeconfig);
  provide('registryHostsDir', images.hostsDir);
  provide('privateRegistry', registry.address);
  provide('registryUser', credentials.user);
  provide('registryPassword', credentials.password);
  return async () => {
    await keylet.stop();
    await registry.close();
    await images.close();
  };
}
