import path from 'node:path';
import { badRequest } from '../../machinery/status.ts';
import { maxKeyBytes } from '../../store/bounded-keys.ts';

/** Where the next page of a list begins, and as of when. Opaque to clients. */
export interface ContinueToken {
  /** -1: as of now, where the list's own revision is no longer kept. */
  readonly revision: number;
  /** A key under the list's prefix. */
  readonly startAfter: string;
}

/** @param prefix of the list's keys: the token names the key below it, as Kubernetes' do */
export function encodeContinue({ revision, startAfter }: ContinueToken, prefix: string): string {
  // The first key behind that one.
  const start = `${startAfter.slice(prefix.length)}\u0000`;
  const token = { v: 'meta.k8s.io/v1', rv: revision, start };
  return Buffer.from(JSON.stringify(token)).toString('base64url');
}

/** @throws StatusError BadRequest, also for a token that leads out of the prefix */
export function decodeContinue(token: string, prefix: string): ContinueToken {
  const { v, rv, start } = parse(token);
  if (v !== 'meta.k8s.io/v1') {
    throw invalid(
      `: server does not recognize this encoded version ${typeof v === 'string' ? v : ''}`,
    );
  }
  if (!Number.isSafeInteger(rv) || rv === 0) {
    throw invalid(': incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  }
  if (typeof start !== 'string' || start === '') {
    throw invalid(': encoded start key empty (version meta.k8s.io/v1)');
  }
  const absolute = start.startsWith('/') ? start : `/${start}`;
  if (path.posix.normalize(absolute) !== absolute) throw invalid(`: ${start}`);
  if (Buffer.byteLength(prefix + absolute) > maxKeyBytes) {
    throw invalid(`: start key is longer than ${maxKeyBytes} bytes`);
  }
  return { revision: rv as number, startAfter: `${prefix}${absolute.slice(1).replace(/\0$/, '')}` };
}

function parse(token: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // It is the client's: told below.
  }
  throw invalid('');
}

const invalid = (detail: string) =>
  badRequest(`invalid continue token: continue key is not valid${detail}`);
