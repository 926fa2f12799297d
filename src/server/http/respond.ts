import { gzip } from 'node:zlib';
import { promisify } from 'node:util';
import { internalError, StatusError } from '../../machinery/status.ts';
import type { RequestContext } from './context.ts';
import type { AnyResponse } from './listener.ts';

const compress = promisify(gzip);
const compressAboveBytes = 128 * 1024;

export type ResponseContext = Pick<RequestContext, 'response' | 'headers' | 'warnings'>;

/** Sends a whole body, compressed if it is large and the client takes that. */
export async function respond(
  { response, headers, warnings }: ResponseContext,
  code: number,
  body: Buffer | string,
  contentType = 'application/json',
): Promise<void> {
  let bytes = Buffer.from(body);
  const out: Record<string, string | string[]> = {
    'content-type': contentType,
    'cache-control': 'no-cache, private',
    ...warningHeaders(warnings),
  };
  if (
    bytes.length > compressAboveBytes &&
    /\bgzip\b/.test(headers['accept-encoding']?.toString() ?? '')
  ) {
    bytes = await compress(bytes, { level: 1 });
    out['content-encoding'] = 'gzip';
    out['vary'] = 'Accept-Encoding';
  }
  out['content-length'] = String(bytes.length);
  writeHead(response, code, out);
  response.end(bytes);
}

export function warningHeaders(warnings: readonly string[]): Record<string, string[]> {
  if (warnings.length === 0) return {};
  // Header text is quoted; what would break the quotes or the line is escaped or left out.
  const quoted = warnings.map(
    text => `299 - "${text.replaceAll(/[\r\n]+/g, ' ').replaceAll(/[\\"]/g, each => `\\${each}`)}"`,
  );
  return { warning: quoted };
}

export function writeHead(
  response: AnyResponse,
  code: number,
  headers: Record<string, string | string[]>,
): void {
  (response as { writeHead(code: number, headers: object): void }).writeHead(code, headers);
}

/** Whatever was thrown as the Status that the client sees. */
export const toStatusError = (error: unknown): StatusError =>
  error instanceof StatusError
    ? error
    : internalError('an error on the server prevented the request from succeeding', error);

export async function respondError(context: ResponseContext, error: StatusError): Promise<void> {
  if (context.response.headersSent) {
    context.response.end();
    return;
  }
  const { retryAfterSeconds } = error.status.details ?? {};
  if (retryAfterSeconds) context.response.setHeader('retry-after', String(retryAfterSeconds));
  await respond(context, error.code, JSON.stringify(error.status));
}
