import { inject } from 'vitest';
import { createKubectl, type Kubectl } from './kubectl-cli.ts';

declare module 'vitest' {
  interface ProvidedContext {
    kubeconfig: string;
    /** Folder in containerd's certs.d form: `docker.io` is served by the tests' own registry. */
    registryHostsDir: string;
    /** `127.0.0.1:<port>` of a registry that wants `registryUser` and `registryPassword`. */
    privateRegistry: string;
    registryUser: string;
    registryPassword: string;
  }
}

/** kubectl on the Keylet that all end-to-end files share. */
export const sharedKubectl = (): Kubectl => createKubectl(inject('kubeconfig'));

let serial = 0;
/** A namespace of the test's own. */
export async function freshNamespace(kubectl: Kubectl, prefix: string): Promise<string> {
  const name = `${prefix}-${process.pid}-${(serial += 1)}`;
  await kubectl(`create namespace ${name}`);
  return name;
}
