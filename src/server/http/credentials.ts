import type { TLSSocket } from 'node:tls';
import { certificateSubject, type PeerCertificate } from '../../machinery/client-certificate.ts';
import { unauthorized } from '../../machinery/status.ts';
import type { Credentials } from '../authn/authenticator.ts';
import { ClientGoneError } from './context.ts';
import { tlsSocketOf, type AnyRequest } from './listener.ts';

type Certificate = Credentials['certificate'];

interface ClientCertificate {
  readonly certificate: Certificate;
  /** There is one, but the handshake did not verify it. */
  readonly isUnverified: boolean;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}
const bySocket = new WeakMap<TLSSocket, ClientCertificate>();
const none: ClientCertificate = {
  certificate: undefined,
  isUnverified: false,
  notBeforeMs: -Infinity,
  notAfterMs: Infinity,
};

/**
 * What a request shows of its sender. A connection's certificate is read once. One that cannot be
 * accepted is an error, as in Kubernetes, unless a token says who it is.
 * @throws StatusError Unauthorized; ClientGoneError
 */
export function credentialsOf(request: AnyRequest): Credentials {
  const header = request.headers.authorization ?? '';
  const token = /^bearer\s+(.+)$/i.exec(header)?.[1]?.trim();
  const socket = tlsSocketOf(request);
  if (socket === undefined) throw new ClientGoneError();
  const known = certificateOf(socket);
  // A connection may outlive its certificate: the dates are checked for each request, as Kubernetes does.
  const nowMs = Date.now();
  const isValid = nowMs >= known.notBeforeMs && nowMs <= known.notAfterMs && !known.isUnverified;
  if (!isValid && token === undefined) throw unauthorized();
  return { certificate: isValid ? known.certificate : undefined, token };
}

function certificateOf(socket: TLSSocket): ClientCertificate {
  let known = bySocket.get(socket);
  if (known === undefined) {
    known = readCertificate(socket);
    bySocket.set(socket, known);
  }
  return known;
}

function readCertificate(socket: TLSSocket): ClientCertificate {
  const certificate: PeerCertificate & { valid_from?: string; valid_to?: string } =
    socket.getPeerCertificate();
  const { subject, valid_from = '', valid_to = '' } = certificate;
  if (subject === undefined) return none;
  if (!socket.authorized) return { ...none, isUnverified: true };
  return {
    certificate: certificateSubject(certificate),
    isUnverified: false,
    notBeforeMs: Date.parse(valid_from),
    notAfterMs: Date.parse(valid_to),
  };
}
