/** Who a client certificate is for. */
export interface CertificateSubject {
  readonly commonName: string;
  readonly organizations: readonly string[];
}

/** What Node tells of a peer's certificate (tls.PeerCertificate); empty where there is none. */
export interface PeerCertificate {
  readonly subject?: object;
  /** Whether it may sign others. */
  readonly ca?: boolean;
  /** OIDs; absent where the certificate is for every purpose. */
  readonly ext_key_usage?: readonly string[];
}

const clientAuth = '1.3.6.1.5.5.7.3.2';

/**
 * The subject of a certificate whose signature and dates were checked with the handshake: CN is the
 * user, each O a group (Kubernetes' CommonNameUserConversion). The API server and the node's server
 * ask the same.
 * @returns undefined where it identifies nobody: it has no CN, it is for servers, or it is an authority's
 */
export function certificateSubject({
  subject = {},
  ca = false,
  ext_key_usage: usages,
}: PeerCertificate): CertificateSubject | undefined {
  const { CN, O } = subject as { CN?: string | string[]; O?: string | string[] };
  // Of several the last counts, as in Go.
  const commonName = [CN ?? []].flat().at(-1) ?? '';
  if (commonName === '' || ca || usages?.includes(clientAuth) === false) return undefined;
  return { commonName, organizations: [O ?? []].flat() };
}
