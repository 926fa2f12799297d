import type { IncomingHttpHeaders } from 'node:http';
import { requestTooLarge } from '../../machinery/status.ts';
import type { UserInfo } from '../authn/authenticator.ts';
import type { RequestInfo } from './request-info.ts';
import type { AnyRequest, AnyResponse } from './listener.ts';

/** 3 MiB, as kube-apiserver's. */
const maxBodyBytes = 3 * 1024 * 1024;

/** One request on its way. */
export interface RequestContext {
  readonly info: RequestInfo;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly user: UserInfo;
  readonly request: AnyRequest;
  readonly response: AnyResponse;
  /** Lines for `Warning:` headers, in order. */
  readonly warnings: string[];
  /** Aborts when the client goes or the server closes. */
  readonly signal: AbortSignal;
}

/** @throws StatusError RequestEntityTooLarge */
export async function readBody(request: AnyRequest): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > maxBodyBytes) throw requestTooLarge(maxBodyBytes);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}
