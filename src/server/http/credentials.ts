import type { TLSSocket } from 'node:tls';
import { unauthorized } from '../../machinery/status.ts';
import type { Credentials } from '../authn/authenticator.ts';
import { ClientGoneError } from './context.ts';
import { tlsSocketOf, type AnyRequest } from './listener.ts';

type Certificate = Credentials['certificate'];

interface ClientCertificate {
  readonly certificate: Certificate;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}
const bySocket = new WeakMap<TLSSocket, ClientCertificate>();
const none: ClientCertificate = {
  certificate: undefined,
  notBeforeMs: -Infinity,
  notAfterMs: Infinity,
};

/** What a request shows of its sender. A connection's certificate is read once. */
export function credentialsOf(request: AnyRequest): Credentials {
  const header = request.headers.authorization ?? '';
  const token = /^bearer\s+(.+)$/i.exec(header)?.[1]?.trim();
  const socket = tlsSocketOf(request);
  if (socket === undefined) throw new ClientGoneError();
  return { certificate: certificateOf(socket), token };
}

/** A connection may outlive its certificate: the dates are checked for each request, as Kubernetes does. */
function certificateOf(socket: TLSSocket): Certificate {
  let known = bySocket.get(socket);
  if (known === undefined) {
    known = socket.authorized ? readCertificate(socket) : refused(socket);
    bySocket.set(socket, known);
  }
  const nowMs = Date.now();
  if (nowMs < known.notBeforeMs || nowMs > known.notAfterMs) throw unauthorized();
  return known.certificate;
}

const outOfDate = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);

/** One that the CA signed, but that is not valid now, is answered 401 rather than taken for anonymous. */
function refused(socket: TLSSocket): ClientCertificate {
  if (outOfDate.has(String(socket.authorizationError))) throw unauthorized();
  return none;
}

function readCertificate(socket: TLSSocket): ClientCertificate {
  const { subject, valid_from, valid_to } = socket.getPeerCertificate();
  if (subject === undefined) return none;
  const { CN, O } = subject as { CN?: string | string[]; O?: string | string[] };
  return {
    certificate: { commonName: [CN ?? ''].flat()[0] ?? '', organizations: [O ?? []].flat() },
    notBeforeMs: Date.parse(valid_from),
    notAfterMs: Date.parse(valid_to),
  };
}
