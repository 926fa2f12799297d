import type { TLSSocket } from 'node:tls';
import { certificateSubject } from '../../machinery/client-certificate.ts';
import { unauthorized } from '../../machinery/status.ts';
import type { Credentials } from '../authn/authenticator.ts';
import { ClientGoneError } from './client-gone-error.ts';
import { tlsSocketOf, type AnyRequest } from './listener.ts';

/** A connection's client certificate, as far as it identifies somebody. */
interface ClientCertificate {
  readonly subject: Credentials['certificate'];
  /** There is one, but the handshake did not verify it. */
  readonly isRefused: boolean;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}
const bySocket = new WeakMap<TLSSocket, ClientCertificate>();

/**
 * What a request shows of its sender. A connection's certificate is read once. One that cannot be
 * verified is an error, as in Kubernetes, unless a token says who it is.
 * @throws StatusError Unauthorized; ClientGoneError
 */
export function credentialsOf(request: AnyRequest): Credentials {
  const header = request.headers.authorization ?? '';
  const token = /^bearer\s+(.+)$/i.exec(header)?.[1]?.trim();
  const socket = tlsSocketOf(request);
  if (socket === undefined) throw new ClientGoneError();
  const { subject, isRefused, notBeforeMs, notAfterMs } = certificateOf(socket);
  // A connection may outlive its certificate: Kubernetes checks the dates for each request.
  const nowMs = Date.now();
  const isValid = !isRefused && nowMs >= notBeforeMs && nowMs <= notAfterMs;
  if (!isValid && token === undefined) throw unauthorized();
  return { certificate: isValid ? subject : undefined, token };
}

/** The name in a connection's client certificate, if that was verified. */
export const verifiedNameOf = (socket: TLSSocket): string | undefined =>
  certificateOf(socket).subject?.commonName || undefined;

function certificateOf(socket: TLSSocket): ClientCertificate {
  let known = bySocket.get(socket);
  if (known === undefined) {
    known = readCertificate(socket);
    bySocket.set(socket, known);
  }
  return known;
}

function readCertificate(socket: TLSSocket): ClientCertificate {
  const certificate = socket.getPeerCertificate();
  // Node answers an empty object where there is none.
  const isPresent = (certificate as { subject?: object }).subject !== undefined;
  const isVerified = isPresent && socket.authorized;
  return {
    subject: isVerified ? certificateSubject(certificate) : undefined,
    isRefused: isPresent && !isVerified,
    notBeforeMs: isVerified ? Date.parse(certificate.valid_from) : -Infinity,
    notAfterMs: isVerified ? Date.parse(certificate.valid_to) : Infinity,
  };
}
