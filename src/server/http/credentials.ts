import type { TLSSocket } from 'node:tls';
import { certificateSubject, type PeerCertificate } from '../../machinery/client-certificate.ts';
import { unauthorized } from '../../machinery/status.ts';
import type { Credentials } from '../authn/authenticator.ts';
import { tlsSocketOf, type AnyRequest } from './listener.ts';

type Certificate = Credentials['certificate'];
/** `refused`: there is one, but the handshake did not verify it. */
const bySocket = new WeakMap<TLSSocket, { certificate: Certificate; refused: boolean }>();

/**
 * What a request shows of its sender. A connection's certificate is read once. One that cannot be
 * verified is an error, as in Kubernetes, unless a token says who it is.
 * @throws StatusError Unauthorized
 */
export function credentialsOf(request: AnyRequest): Credentials {
  const header = request.headers.authorization ?? '';
  const token = /^bearer\s+(.+)$/i.exec(header)?.[1]?.trim();
  const { certificate, refused } = certificateOf(tlsSocketOf(request));
  if (refused && token === undefined) throw unauthorized();
  return { certificate, token };
}

function certificateOf(socket: TLSSocket): { certificate: Certificate; refused: boolean } {
  let known = bySocket.get(socket);
  if (known === undefined) {
    const certificate: PeerCertificate = socket.getPeerCertificate();
    known = {
      certificate: socket.authorized ? certificateSubject(certificate) : undefined,
      refused: !socket.authorized && certificate.subject !== undefined,
    };
    bySocket.set(socket, known);
  }
  return known;
}
