import type { TLSSocket } from 'node:tls';
import { unauthorized } from '../../machinery/status.ts';
import type { Credentials } from '../authn/authenticator.ts';
import { ClientGoneError } from './context.ts';
import { tlsSocketOf, type AnyRequest } from './listener.ts';

type Certificate = Credentials['certificate'];
const bySocket = new WeakMap<TLSSocket, { certificate: Certificate }>();

/** What a request shows of its sender. A connection's certificate is read once. */
export function credentialsOf(request: AnyRequest): Credentials {
  const header = request.headers.authorization ?? '';
  const token = /^bearer\s+(.+)$/i.exec(header)?.[1]?.trim();
  const socket = tlsSocketOf(request);
  if (socket === undefined) throw new ClientGoneError();
  return { certificate: certificateOf(socket), token };
}

function certificateOf(socket: TLSSocket): Certificate {
  let known = bySocket.get(socket);
  if (known === undefined) {
    known = { certificate: socket.authorized ? readCertificate(socket) : refused(socket) };
    bySocket.set(socket, known);
  }
  return known.certificate;
}

/** One that the CA signed, and that is over, is told so: it is no reason to be taken for nobody. */
function refused(socket: TLSSocket): undefined {
  if (String(socket.authorizationError) === 'CERT_HAS_EXPIRED') throw unauthorized();
}

function readCertificate(socket: TLSSocket): Certificate {
  const { subject } = socket.getPeerCertificate();
  if (subject === undefined) return undefined;
  const { CN, O } = subject as { CN?: string | string[]; O?: string | string[] };
  return { commonName: [CN ?? ''].flat()[0] ?? '', organizations: [O ?? []].flat() };
}
