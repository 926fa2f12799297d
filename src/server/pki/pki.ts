import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { X509Certificate } from 'node:crypto';

/** A certificate and its key, PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** The identities of one Keylet. */
export interface Pki {
  /** The one CA, of servers and clients alike. */
  readonly ca: string;
  /** The API server's. */
  readonly serving: KeyPair;
  readonly admin: KeyPair;
  readonly controllers: KeyPair;
  readonly node: KeyPair;
  /** The node's own server's. */
  readonly nodeServing: KeyPair;
  /** The API server's, towards nodes. */
  readonly kubeletClient: KeyPair;
  /** PKCS #8, P-256: signs service-account tokens. */
  readonly serviceAccountKey: string;
}

export interface PkiOptions {
  /** 0700; files 0600. */
  readonly dir: string;
  /** DNS names and addresses that the API is reached by. */
  readonly names: readonly string[];
  readonly nodeName: string;
  readonly nodeNames: readonly string[];
}

const renewBeforeMs = 30 * 24 * 3600 * 1000;

/** Opens what is there and makes what is missing, outdated, or for other names. */
export async function openPki({ dir, names, nodeName, nodeNames }: PkiOptions): Promise<Pki> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await chmod(dir, 0o700);
  const file = (name: string): string => path.join(dir, name);
  const read = (name: string): Promise<string | undefined> =>
    readFile(file(name), 'utf8').catch(() => undefined);
  const write = (name: string, text: string): Promise<void> =>
    writeFile(file(name), text, { mode: 0o600 });
  // Loaded only when something has to be made: a warm start does without it.
  const mint = () => import('./mint.ts');

  const pair = async (
    name: string,
    fits: (certificate: X509Certificate) => boolean,
    make: () => Promise<KeyPair>,
  ): Promise<KeyPair> => {
    const [cert, key] = await Promise.all([read(`${name}.crt`), read(`${name}.key`)]);
    if (cert !== undefined && key !== undefined) {
      const parsed = new X509Certificate(cert);
      if (Date.parse(parsed.validTo) - Date.now() > renewBeforeMs && fits(parsed))
        return { cert, key };
    }
    const made = await make();
    await Promise.all([write(`${name}.crt`, made.cert), write(`${name}.key`, made.key)]);
    return made;
  };

  const ca = await pair(
    'ca',
    () => true,
    async () => (await mint()).mintCa('keylet-ca'),
  );
  const signedByCa = (certificate: X509Certificate): boolean =>
    certificate.verify(new X509Certificate(ca.cert).publicKey);
  const client = (name: string, commonName: string, organization?: string): Promise<KeyPair> =>
    pair(
      name,
      certificate => signedByCa(certificate) && certificate.subject.includes(`CN=${commonName}`),
      async () =>
        (await mint()).mintCertificate(ca, {
          commonName,
          ...(organization === undefined ? {} : { organization }),
          names: [],
          usage: 'client',
        }),
    );
  const server = (
    name: string,
    commonName: string,
    subjectNames: readonly string[],
  ): Promise<KeyPair> =>
    pair(
      name,
      certificate =>
        signedByCa(certificate) &&
        subjectNames.every(
          each => (certificate.checkHost(each) ?? certificate.checkIP(each)) !== undefined,
        ),
      async () =>
        (await mint()).mintCertificate(ca, { commonName, names: subjectNames, usage: 'server' }),
    );

  const [serving, admin, controllers, node, nodeServing, kubeletClient] = await Promise.all([
    server('apiserver', 'kube-apiserver', names),
    client('admin', 'kubernetes-admin', 'system:masters'),
    client('controller-manager', 'system:kube-controller-manager'),
    client('node', `system:node:${nodeName}`, 'system:nodes'),
    server('kubelet', `system:node:${nodeName}`, nodeNames),
    client('apiserver-kubelet-client', 'kube-apiserver-kubelet-client', 'system:masters'),
  ]);
  let serviceAccountKey = await read('sa.key');
  if (serviceAccountKey === undefined) {
    serviceAccountKey = await (await mint()).mintKey();
    await write('sa.key', serviceAccountKey);
  }
  return {
    ca: ca.cert,
    serving,
    admin,
    controllers,
    node,
    nodeServing,
    kubeletClient,
    serviceAccountKey,
  };
}
