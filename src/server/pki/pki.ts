import { X509Certificate } from 'node:crypto';
import { chmod, mkdir } from 'node:fs/promises';
import { isIP } from 'node:net';
import { keptFiles } from './kept-files.ts';
import type { KeyPair } from './key-pair.ts';
import type { CertificateRequest } from './mint.ts';

export type { KeyPair };

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
  /** A certificate of the CA for somebody else: another node, another user. It is not kept. */
  readonly issue: (request: CertificateRequest) => Promise<KeyPair>;
}

export interface PkiOptions {
  /** 0700; files 0600. */
  readonly dir: string;
  /** DNS names and addresses that the API is reached by. */
  readonly names: readonly string[];
  readonly nodeName: string;
  readonly nodeNames: readonly string[];
}

// Loaded only when something has to be made: a warm start does without it.
const mint = () => import('./mint.ts');

/** Opens what is there and makes what is missing, outdated, or for other names. */
export async function openPki({ dir, names, nodeName, nodeNames }: PkiOptions): Promise<Pki> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await chmod(dir, 0o700);
  const files = keptFiles(dir);
  const ca = await files.pair(
    'ca',
    () => true,
    async () => (await mint()).mintCa('keylet-ca'),
  );
  const caKey = new X509Certificate(ca.cert).publicKey;
  const issue = async (request: CertificateRequest): Promise<KeyPair> =>
    (await mint()).mintCertificate(ca, request);
  const certificate = (name: string, request: CertificateRequest): Promise<KeyPair> =>
    files.pair(
      name,
      kept => kept.verify(caKey) && isFor(kept, request),
      () => issue(request),
    );
  const client = (name: string, commonName: string, organization?: string): Promise<KeyPair> =>
    certificate(name, {
      commonName,
      ...(organization === undefined ? {} : { organization }),
      names: [],
      usage: 'client',
    });
  const server = (
    name: string,
    commonName: string,
    subjectNames: readonly string[],
  ): Promise<KeyPair> => certificate(name, { commonName, names: subjectNames, usage: 'server' });

  const [serving, admin, controllers, node, nodeServing, kubeletClient] = await Promise.all([
    server('apiserver', 'kube-apiserver', names),
    client('admin', 'kubernetes-admin', 'system:masters'),
    client('controller-manager', 'system:kube-controller-manager'),
    client('node', `system:node:${nodeName}`, 'system:nodes'),
    server('kubelet', `system:node:${nodeName}`, nodeNames),
    client('apiserver-kubelet-client', 'kube-apiserver-kubelet-client', 'system:masters'),
  ]);
  const serviceAccountKey = await files.key('sa', async () => (await mint()).mintKey());
  return {
    ca: ca.cert,
    serving,
    admin,
    controllers,
    node,
    nodeServing,
    kubeletClient,
    serviceAccountKey,
    issue,
  };
}

/** Whether a certificate names whom the request names, and no less. */
function isFor(
  certificate: X509Certificate,
  { commonName, organization, names }: CertificateRequest,
): boolean {
  const subject = organization === undefined ? [] : [`O=${organization}`];
  return (
    certificate.subject === [...subject, `CN=${commonName}`].join('\n') &&
    names.every(each =>
      isIP(each) === 0
        ? certificate.checkHost(each, { subject: 'never' }) !== undefined
        : certificate.checkIP(each) !== undefined,
    )
  );
}
