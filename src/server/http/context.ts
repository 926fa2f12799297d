import type { IncomingHttpHeaders } from 'node:http';
import { requestTooLarge } from '../../machinery/status.ts';
import type { UserInfo } from '../authn/authenticator.ts';
import type { Operation, ResourceOperation } from '../operation/operation.ts';
import type { Client } from './limits/clients.ts';
import type { UnsentBytes } from './limits/unsent-bytes.ts';
import type { AnyRequest, AnyResponse } from './listener.ts';
import type { Query } from './query.ts';

/** 3 MiB, as kube-apiserver's. */
const maxBodyBytes = 3 * 1024 * 1024;

/** One request on its way. */
export interface RequestContext<O extends Operation = ResourceOperation> {
  readonly operation: O;
  /** The operation's own. */
  readonly query: Query;
  readonly headers: IncomingHttpHeaders;
  readonly user: UserInfo;
  readonly request: AnyRequest;
  readonly response: AnyResponse;
  /** Lines for `Warning:` headers, in order. */
  readonly warnings: string[];
  /** Whose share of the server the request takes. */
  readonly client: Client;
  /** Where the bytes of large answers that the client has not taken yet are accounted for. */
  readonly unsent: UnsentBytes;
  /** Aborts when the client goes or the server closes. */
  readonly signal: AbortSignal;
}

/** The client went before its request was whole: nobody is there to be answered, and nothing has failed. */
export class ClientGoneError extends Error {
  constructor(cause?: unknown) {
    super('The client went before its request was whole', { cause });
    this.name = 'ClientGoneError';
  }
}

/** @throws StatusError RequestEntityTooLarge; ClientGoneError */
export const readBody = (request: AnyRequest): Promise<Buffer> =>
  // By events: an iterator costs as much as all else that is done to read a small body.
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBodyBytes) {
        chunks.push(chunk);
        return;
      }
      // What still comes is let go, so that the sender reads the answer.
      chunks.length = 0;
      reject(requestTooLarge(maxBodyBytes));
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('error', error => reject(new ClientGoneError(error)));
    request.once('close', () => {
      if (!request.complete) reject(new ClientGoneError());
    });
  });
