import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { loadKubeconfig } from '../../src/client/kubeconfig.ts';
import type { Status } from '../../src/machinery/status.ts';

export interface RawAnswer {
  readonly code: number;
  /** The text of each `Warning:` header, unquoted. */
  readonly warnings: readonly string[];
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
  /** The body: an object, or a Status. `{}` where it is not JSON, or several lines of it. */
  readonly body: Partial<Status> & { readonly [field: string]: unknown };
}

export interface RawRequest {
  readonly method?: string;
  readonly path: string;
  readonly body?: string | Buffer;
  readonly contentType?: string;
  readonly userAgent?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of a stream: its first line is taken for the whole answer. */
  readonly firstLine?: true;
}

/** A client that sends bytes as they are, past the checks of any other. */
export async function rawApi(kubeconfig: string): Promise<(ask: RawRequest) => Promise<RawAnswer>> {
  const config = await loadKubeconfig(kubeconfig);
  return ({ method = 'POST', path, body = '', contentType = 'application/json', ...ask }) =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(config.server);
      const sent = request(
        {
          method,
          hostname,
          port,
          path,
          ca: config.certificateAuthority,
          cert: config.clientCertificate,
          key: config.clientKey,
          headers: {
            'content-type': contentType,
            'content-length': Buffer.byteLength(body),
            ...(ask.userAgent === undefined ? {} : { 'user-agent': ask.userAgent }),
            ...ask.headers,
          },
        },
        response => {
          const chunks: Buffer[] = [];
          const answer = (): void => {
            const text = Buffer.concat(chunks).toString();
            resolve({
              code: response.statusCode ?? 0,
              warnings: warningsIn(response.rawHeaders),
              text,
              headers: response.headers,
              body: objectIn(text),
            });
          };
          response.on('data', (chunk: Buffer) => {
            chunks.push(chunk);
            if (ask.firstLine !== true || !chunk.includes('\n')) return;
            answer();
            response.destroy();
          });
          response.once('end', answer);
        },
      );
      sent.once('error', reject);
      sent.end(body);
    });
}

function objectIn(text: string): RawAnswer['body'] {
  try {
    return JSON.parse(text) as RawAnswer['body'];
  } catch {
    return {};
  }
}

function warningsIn(rawHeaders: readonly string[]): string[] {
  return rawHeaders.flatMap((name, i) => {
    if (i % 2 === 1 || name.toLowerCase() !== 'warning') return [];
    const text = Buffer.from(rawHeaders[i + 1] ?? '', 'latin1').toString();
    return [(/^299 - "(.*)"$/.exec(text)?.[1] ?? '').replaceAll(/\\(.)/g, '$1')];
  });
}
