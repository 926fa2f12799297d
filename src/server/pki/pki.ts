import { X509Certificate } from 'node:crypto';
import { chmod, mkdir } from 'node:fs/promises';
import { isIP } from 'node:net';
import path from 'node:path';
import type { Logger } from '../../machinery/log.ts';
import type { KeyPair } from './key-pair.ts';
import type { CertificateRequest } from './mint.ts';
import { openPemFiles, type PemFiles } from './pem-files.ts';
import { PkiError } from './pki-error.ts';
import {
  caLifetime,
  caValidity,
  certificateLifetime,
  certificateValidity,
  validityProblem,
  type Lifetime,
} from './validity.ts';

export type { KeyPair };

/** The keys and certificates of one Keylet. */
interface Identities {
  /** Certificate of the one CA, of servers and clients alike. */
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
}

/** Its certificates are replaced by `renew()`: read them at each use, or again when `onRenewed` calls. */
export interface Pki extends Identities {
  /** PKCS #8, P-256: signs service-account tokens. */
  readonly serviceAccountKey: string;
  /** Replaces what is expiring, or not valid by the present time. @returns whether anything was */
  renew(): Promise<boolean>;
  onRenewed(listener: () => void): void;
  /** A certificate of the CA for somebody else: another node, another user. It is not kept. */
  issue(request: CertificateRequest): Promise<KeyPair>;
}

export interface PkiOptions {
  /** 0700; files 0600. */
  readonly dir: string;
  /** DNS names and addresses that the API is reached by. */
  readonly names: readonly string[];
  readonly nodeName: string;
  readonly nodeNames: readonly string[];
  /** Milliseconds since the epoch. @default Date.now */
  readonly now?: () => number;
  readonly log?: Logger;
}

// Loaded only when something has to be made: a warm start does without it.
const mint = () => import('./mint.ts');

/**
 * Opens what is there and makes what is missing, outdated, or for other names.
 * @throws PkiError when the CA's key is lost or a key is damaged
 */
export async function openPki(options: PkiOptions): Promise<Pki> {
  const { dir, now = Date.now } = options;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await chmod(dir, 0o700);
  const files = openPemFiles(dir);
  const caKey = await openCaKey(files, dir);
  const serviceAccountKey = await files.key('sa', async () => (await mint()).mintKey());
  const open = async (): Promise<Opened> => {
    const ca = { cert: await openCaCertificate(files, caKey, options), key: caKey };
    return { ca, ...(await openCertificates(files, ca, options)) };
  };
  let current = await open();
  const listeners: (() => void)[] = [];
  return {
    get ca() {
      return current.ca.cert;
    },
    get serving() {
      return current.serving;
    },
    get admin() {
      return current.admin;
    },
    get controllers() {
      return current.controllers;
    },
    get node() {
      return current.node;
    },
    get nodeServing() {
      return current.nodeServing;
    },
    get kubeletClient() {
      return current.kubeletClient;
    },
    serviceAccountKey,
    async renew() {
      if (isCurrent(current, now())) return false;
      current = await open();
      for (const listener of listeners) listener();
      return true;
    },
    onRenewed: listener => void listeners.push(listener),
    issue: async request =>
      (await mint()).mintCertificate(
        current.ca,
        request,
        certificateValidity(new X509Certificate(current.ca.cert), now()),
      ),
  };
}

/** With the CA's key, which is for signing here alone. */
type Opened = Omit<Identities, 'ca'> & { readonly ca: KeyPair };

async function openCaKey(files: PemFiles, dir: string): Promise<string> {
  if ((await files.exists('ca.crt')) && !(await files.exists('ca.key')))
    throw new PkiError(
      `${path.join(dir, 'ca.key')} is missing. Restore it from a backup, or remove ca.crt beside it to start with a new CA: kubeconfigs that were handed out are then refused`,
    );
  return files.key('ca', async () => (await mint()).mintKey());
}

/**
 * A CA that the clock says is not valid is certified anew with the same key: nobody is locked out by a wrong
 * clock, then or now, and no one is trusted who was not.
 */
async function openCaCertificate(
  files: PemFiles,
  key: string,
  { now = Date.now, log }: PkiOptions,
): Promise<string> {
  const known = await files.certificateOf('ca', key);
  const problem =
    known === undefined
      ? undefined
      : validityProblem(new X509Certificate(known), caLifetime, now());
  if (known !== undefined && problem === undefined) return known;
  const cert = await (await mint()).mintCaCertificate('keylet-ca', key, caValidity(now()));
  await files.writeCertificate('ca', cert);
  if (known !== undefined && problem !== undefined) {
    const { validFrom, validTo } = new X509Certificate(known);
    log?.warn('The CA certificate was renewed with the same key', {
      problem,
      validFrom,
      validTo,
      clock: new Date(now()).toISOString(),
    });
  }
  return cert;
}

async function openCertificates(
  files: PemFiles,
  ca: KeyPair,
  { names, nodeName, nodeNames, now = Date.now }: PkiOptions,
): Promise<Omit<Identities, 'ca'>> {
  const authority = new X509Certificate(ca.cert);
  const certificate = (name: string, request: CertificateRequest): Promise<KeyPair> =>
    files.pair(
      name,
      known =>
        known.verify(authority.publicKey) &&
        isFor(known, request) &&
        validityProblem(known, certificateLifetime, now()) === undefined,
      async () =>
        (await mint()).mintCertificate(ca, request, certificateValidity(authority, now())),
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
  return { serving, admin, controllers, node, nodeServing, kubeletClient };
}

/** Asked every minute: no file is read. */
function isCurrent({ ca, ...others }: Opened, nowMs: number): boolean {
  const isValid = ({ cert }: KeyPair, lifetime: Lifetime): boolean =>
    validityProblem(new X509Certificate(cert), lifetime, nowMs) === undefined;
  return (
    isValid(ca, caLifetime) &&
    Object.values(others).every(each => isValid(each, certificateLifetime))
  );
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
