import { badRequest } from '../../machinery/status.ts';

/** Where the next page of a list begins, and as of when. Opaque to clients. */
export interface ContinueToken {
  readonly revision: number;
  readonly startAfter: string;
}

export const encodeContinue = ({ revision, startAfter }: ContinueToken): string =>
  Buffer.from(JSON.stringify({ v: 'keylet/v1', rv: revision, start: startAfter })).toString(
    'base64url',
  );

/** @throws StatusError BadRequest */
export function decodeContinue(token: string): ContinueToken {
  try {
    const value = JSON.parse(Buffer.from(token, 'base64url').toString()) as Record<string, unknown>;
    if (
      value['v'] === 'keylet/v1' &&
      typeof value['rv'] === 'number' &&
      typeof value['start'] === 'string'
    ) {
      return { revision: value['rv'], startAfter: value['start'] };
    }
  } catch {
    // It is the client's: told below.
  }
  throw badRequest('continue key is not valid: incorrect start key');
}
