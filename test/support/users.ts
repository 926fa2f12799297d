import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { expect } from 'vitest';
import type { ClientConfig, KubeClient } from '../../src/client/client.ts';
import { createClient } from '../../src/client/http-client.ts';
import { loadKubeconfig } from '../../src/client/kubeconfig.ts';
import { mintCertificate } from '../../src/server/pki/mint.ts';
import { createKubectl, type Kubectl } from './kubectl-cli.ts';

/** How somebody shows who he is. */
type Credentials = { cert: string; key: string } | { token: string };

/** People and programs that use a Keylet, each with a kubeconfig of his own. */
export interface Users {
  /** With a client certificate of the Keylet's CA, as an administrator would make one. */
  person(name: string, group?: string): Promise<Kubectl>;
  /** With a certificate that lies in the Keylet's own folder, such as `node`. */
  identity(name: string): Promise<Kubectl>;
  withToken(token: string): Promise<Kubectl>;
  close(): Promise<void>;
}

/** @param admin whose kubeconfig lies in the Keylet's data folder */
export async function createUsers(admin: Kubectl): Promise<Users> {
  const folder = await mkdtemp(path.join(tmpdir(), 'keylet-users-'));
  const pki = path.join(path.dirname(admin.kubeconfig), 'pki');
  const pair = async (name: string) => ({
    cert: await readFile(path.join(pki, `${name}.crt`), 'utf8'),
    key: await readFile(path.join(pki, `${name}.key`), 'utf8'),
  });
  const cluster = await loadKubeconfig(admin.kubeconfig);
  let serial = 0;
  const kubectlOf = async (credentials: Credentials): Promise<Kubectl> => {
    const file = path.join(folder, `${(serial += 1)}.kubeconfig`);
    await writeFile(file, kubeconfig(cluster, credentials), { mode: 0o600 });
    return createKubectl(file);
  };
  return {
    person: async (commonName, organization) =>
      kubectlOf(
        await mintCertificate(await pair('ca'), {
          commonName,
          ...(organization === undefined ? {} : { organization }),
          names: [],
          usage: 'client',
        }),
      ),
    identity: async name => kubectlOf(await pair(name)),
    withToken: token => kubectlOf({ token }),
    close: () => rm(folder, { recursive: true }),
  };
}

/** A client of the API, past kubectl, as whom a kubectl is for. */
export const clientOf = async ({ kubeconfig }: Kubectl): Promise<KubeClient> =>
  createClient(await loadKubeconfig(kubeconfig));

/** What kubectl says when it is refused; fails where it is not. */
export async function refusal(who: Kubectl, line: string): Promise<string> {
  const { code, stderr } = await who.try(line);
  expect(code, stderr).toBe(1);
  return stderr.trimEnd();
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function kubeconfig(
  { server, certificateAuthority = '' }: ClientConfig,
  credentials: Credentials,
): string {
  const user =
    'token' in credentials
      ? credentials
      : {
          'client-certificate-data': base64(credentials.cert),
          'client-key-data': base64(credentials.key),
        };
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'keylet',
        cluster: { server, 'certificate-authority-data': base64(certificateAuthority) },
      },
    ],
    users: [{ name: 'user', user }],
    contexts: [{ name: 'keylet', context: { cluster: 'keylet', user: 'user' } }],
    'current-context': 'keylet',
  });
}
