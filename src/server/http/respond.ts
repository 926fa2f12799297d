import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { isGoTrue } from '../../machinery/go-bool.ts';
import { internalError, StatusError } from '../../machinery/status.ts';
import type { RequestContext } from '../operation/operation.ts';
import type { Operation } from '../operation/operation.ts';
import { nextTurn, type Turn } from '../turns.ts';
import type { Client } from './limits/clients.ts';
import type { UnsentBytes } from './limits/unsent-bytes.ts';
import type { AnyResponse } from './listener.ts';
import { cutOff, inTurns, slicesOf, writeSlices, type Slices } from './outgoing.ts';

/** Larger answers are compressed for those who take that, as kube-apiserver does, and sent in slices. */
const largeBytes = 128 * 1024;

export interface ResponseContext extends Pick<
  RequestContext,
  'response' | 'headers' | 'query' | 'warnings'
> {
  readonly operation?: Pick<Operation, 'headOnly'>;
  /** Absent for answers that are small. */
  readonly client?: Client;
  readonly unsent?: UnsentBytes;
}

/** Sends a body whose length is known. */
export async function respond(
  context: ResponseContext,
  code: number,
  body: Buffer | string,
  contentType = 'application/json',
): Promise<void> {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  if (bytes.length > largeBytes)
    return respondInSlices(context, code, slicesOf([bytes]), { contentType, bytes: bytes.length });
  const { response, warnings } = context;
  writeHead(response, code, {
    ...commonHeaders(contentType, warnings),
    'content-length': String(bytes.length),
  });
  response.end(bytes);
}

/** Sends a body that is produced while it is sent: no more of it is in memory than what the client takes next. */
export async function respondPieces(
  context: ResponseContext,
  code: number,
  pieces: Iterable<Buffer | string>,
  contentType = 'application/json',
): Promise<void> {
  const slices = slicesOf(pieces);
  const iterator = slices[Symbol.iterator]();
  const first: Buffer[] = [];
  let bytes = 0;
  for (let next = iterator.next(); next.done !== true; next = iterator.next()) {
    first.push(next.value);
    bytes += next.value.length;
    if (bytes <= largeBytes) continue;
    const content: Slices = {
      *[Symbol.iterator]() {
        yield* first;
        yield* { [Symbol.iterator]: () => iterator };
      },
      get heldBytes() {
        return slices.heldBytes;
      },
    };
    return respondInSlices(context, code, content, { contentType });
  }
  return respond(context, code, Buffer.concat(first), contentType);
}

async function respondInSlices(
  context: ResponseContext,
  code: number,
  content: Slices,
  { contentType, bytes }: { readonly contentType: string; readonly bytes?: number },
): Promise<void> {
  const { response, headers, warnings, client } = context;
  const turn = (): ReturnType<Turn> => (client === undefined ? undefined : nextTurn(client.key));
  const compresses = /\bgzip\b/.test(headers['accept-encoding']?.toString() ?? '');
  writeHead(response, code, {
    ...commonHeaders(contentType, warnings),
    ...(compresses ? { 'content-encoding': 'gzip', vary: 'Accept-Encoding' } : {}),
    ...(compresses || bytes === undefined ? {} : { 'content-length': String(bytes) }),
  });
  if (context.operation?.headOnly === true) return void response.end();
  const unsent =
    client === undefined ? undefined : context.unsent?.open(client, () => cutOff(response));
  try {
    const sent = compresses ? compressed(inTurns(content, turn)) : inTurns(content, turn);
    const isOpen = await writeSlices(response, sent, buffered =>
      unsent?.hold(content.heldBytes + buffered),
    );
    if (isOpen) response.end();
  } catch (error) {
    // Its head is sent: the client must not take for whole what it has.
    cutOff(response);
    throw error;
  } finally {
    unsent?.close();
  }
}

function compressed(content: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const gzip = createGzip({ level: 1 });
  // An error of the content comes out of the iteration.
  pipeline(Readable.from(content, { highWaterMark: 1 }), gzip, () => undefined);
  return gzip;
}

const commonHeaders = (
  contentType: string,
  warnings: readonly string[],
): Record<string, string | string[]> => ({
  'content-type': contentType,
  'cache-control': 'no-cache, private',
  ...warningHeaders(warnings),
});

/** JSON for people to read: who asks so, and who comes by a browser, curl or wget and does not say. */
export function inReadableForm<T extends Buffer | string>(
  { query, headers }: Pick<ResponseContext, 'query' | 'headers'>,
  json: T,
): T | string {
  return isForPeople({ query, headers })
    ? `${JSON.stringify(JSON.parse(json.toString()), null, 2)}\n`
    : json;
}

/** @see inReadableForm */
export function isForPeople({
  query,
  headers,
}: Pick<ResponseContext, 'query' | 'headers'>): boolean {
  const asked = query.get('pretty') ?? '';
  return asked === '' ? readers.test(headers['user-agent'] ?? '') : isGoTrue(asked);
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
