import { gzip } from 'node:zlib';
import { promisify } from 'node:util';
import { isGoTrue } from '../../machinery/go-bool.ts';
import { internalError, StatusError } from '../../machinery/status.ts';
import type { RequestContext } from './context.ts';
import type { AnyResponse } from './listener.ts';

const compress = promisify(gzip);
const compressAboveBytes = 128 * 1024;

export type ResponseContext = Pick<RequestContext, 'response' | 'headers' | 'query' | 'warnings'>;

/** Sends a whole body, compressed if it is large and the client takes that. */
export async function respond(
  { response, headers, warnings }: ResponseContext,
  code: number,
  body: Buffer | string,
  contentType = 'application/json',
): Promise<void> {
  let bytes = typeof body === 'string' ? Buffer.from(body) : body;
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

/** JSON for people to read: who asks so, and who comes by a browser, curl or wget and does not say. */
export function inReadableForm<T extends Buffer | string>(
  { query, headers }: Pick<ResponseContext, 'query' | 'headers'>,
  json: T,
): T | string {
  const asked = query.get('pretty') ?? '';
  const readable = asked === '' ? readers.test(headers['user-agent'] ?? '') : isGoTrue(asked);
  return readable ? `${JSON.stringify(JSON.parse(json.toString()), null, 2)}\n` : json;
}

const readers = /^(curl|Wget|Mozilla\/5\.0)/;

const maxWarningsLength = 4096;
const maxTruncatedLength = 256;

/** `Warning:` headers, within apiserver's limits: where all are too long, each is cut, and the rest left out. */
export function warningHeaders(warnings: readonly string[]): Record<string, string[]> {
  if (warnings.length === 0) return {};
  const fits = warnings.reduce((sum, text) => sum + text.length, 0) <= maxWarningsLength;
  return { warning: (fits ? warnings : truncated(warnings)).map(warningHeader) };
}

function truncated(warnings: readonly string[]): string[] {
  const cut: string[] = [];
  let length = 0;
  for (const text of warnings) {
    if (length >= maxWarningsLength) break;
    cut.push(text.slice(0, maxTruncatedLength));
    length += Math.min(text.length, maxTruncatedLength);
  }
  return cut;
}

/** Header text is quoted; what would break the quotes or the line is escaped or left out. */
function warningHeader(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is left out
  const line = text.replaceAll(/[\u0000-\u001f\u007f]+/g, ' ');
  const quoted = line.replaceAll(/[\\"]/g, each => `\\${each}`);
  // Node writes a header's characters as bytes: these are its UTF-8.
  return Buffer.from(`299 - "${quoted}"`).toString('latin1');
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
  await respond(context, error.code, inReadableForm(context, JSON.stringify(error.status)));
}
