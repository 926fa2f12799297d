import type { IncomingHttpHeaders } from 'node:http';
import type { UserInfo } from '../authn/authenticator.ts';
import type { Operation, ResourceOperation } from '../operation/operation.ts';
import type { Client } from './limits/clients.ts';
import type { UnsentBytes } from './limits/unsent-bytes.ts';
import type { AnyRequest, AnyResponse } from './listener.ts';
import type { Query } from './query.ts';

/** One request on its way. */
export interface RequestContext<O extends Operation = ResourceOperation> {
  readonly operation: O;
  /** The operation's own. */
  readonly query: Query;
  readonly headers: IncomingHttpHeaders;
  readonly user: UserInfo;
  readonly request: AnyRequest;
  /** The whole of it; empty for what only reads. */
  readonly body: Buffer;
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
