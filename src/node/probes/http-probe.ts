import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Probe } from '../../api/core/v1/pod.ts';
import { setMember } from '../../machinery/member.ts';
import {
  dialErrorText,
  failure,
  resolvePort,
  success,
  type ProbeRequest,
  type ProbeResult,
} from './probe-result.ts';

const maxRedirects = 10;
const maxBodyBytes = 10 * 1024;
const redirectCodes = new Set([301, 302, 303, 307, 308]);

type Headers = Record<string, string>;

/**
 * GET, as the kubelet does it: redirects to the same host are followed; one to another host is not, and counts as a
 * success with a warning.
 * @throws Error where there is no answer
 */
export async function httpProbe(
  get: NonNullable<Probe['httpGet']>,
  { container, podIp, timeoutMs }: ProbeRequest,
): Promise<ProbeResult> {
  const host = get.host || podIp;
  const port = resolvePort(get.port, container);
  const first = urlOf(get.scheme === 'HTTPS' ? 'https' : 'http', host, port, get.path);
  let text = textOf(first, port);
  const signal = AbortSignal.timeout(timeoutMs);
  let headers = headersOf(get);
  for (let url = first, redirects = 0; ; redirects += 1) {
    const response = await fetchOnce(url, headers, signal).catch((error: Error) => {
      throw new Error(`Get "${text}": ${error.message}`);
    });
    const location = redirectOf(response);
    const target = location === undefined ? undefined : parseTarget(location, url);
    if (target === undefined || target.hostname !== first.hostname) return resultOf(response);
    response.destroy();
    if (redirects >= maxRedirects - 1)
      throw new Error(`Get "${target.href}": stopped after ${maxRedirects} redirects`);
    // As in Go: a Host header of one's own is for the first host alone.
    if (isAbsolute(location ?? '')) headers = withoutHost(headers);
    url = target;
    text = target.href;
  }
}

function urlOf(scheme: string, host: string, port: number, path = '/'): URL {
  const [pathname = '/', ...query] = path.split('?');
  const url = new URL(`${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`);
  url.pathname = pathname;
  if (query.length > 0) url.search = query.join('?');
  return url;
}

/** As Go prints it: with the port, also where it is the default of the scheme. */
const textOf = ({ protocol, hostname, pathname, search }: URL, port: number): string =>
  `${protocol}//${hostname}:${port}${pathname}${search}`;

function headersOf({ httpHeaders = [] }: NonNullable<Probe['httpGet']>): Headers {
  const headers: Headers = { 'user-agent': 'kube-probe/1.32', accept: '*/*' };
  for (const { name, value } of httpHeaders) setMember(headers, name.toLowerCase(), value);
  return headers;
}

const withoutHost = ({ host: _host, ...headers }: Headers): Headers => headers;

function fetchOnce(url: URL, headers: Headers, signal: AbortSignal): Promise<IncomingMessage> {
  const secure = url.protocol === 'https:';
  const port = Number(url.port) || (secure ? 443 : 80);
  return new Promise((resolve, reject) => {
    const options = { headers, signal, agent: false as const };
    const request = secure
      ? httpsRequest(url, { ...options, rejectUnauthorized: false })
      : httpRequest(url, options);
    request
      .on('response', resolve)
      .on('error', error => {
        const text = signal.aborted
          ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
          : dialErrorText(error, url.hostname, port);
        reject(new Error(text));
      })
      .end();
  });
}

const redirectOf = ({ statusCode = 0, headers }: IncomingMessage): string | undefined =>
  redirectCodes.has(statusCode) ? headers.location : undefined;

/** A location that is no URL cannot be followed. */
function parseTarget(location: string, base: URL): URL | undefined {
  if (!URL.canParse(location, base.href)) return undefined;
  const target = new URL(location, base.href);
  return target.protocol === 'http:' || target.protocol === 'https:' ? target : undefined;
}

const isAbsolute = (location: string): boolean => /^([a-z][a-z\d+.-]*:)?\/\//i.test(location);

async function resultOf(response: IncomingMessage): Promise<ProbeResult> {
  const code = response.statusCode ?? 0;
  if (code < 200 || code >= 400) {
    response.destroy();
    return failure(`HTTP probe failed with statuscode: ${code}`);
  }
  if (code < 300) {
    response.destroy();
    return success;
  }
  const body = await readStart(response);
  return {
    outcome: 'warning',
    output: `Probe terminated redirects, Response body: ${body}`,
    summary: 'Probe terminated redirects',
  };
}

/** The first bytes of a body; what cannot be read is left out. */
async function readStart(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= maxBodyBytes) break;
    }
  } catch {
    // The answer counts by its code.
  }
  return Buffer.concat(chunks).toString('utf8', 0, Math.min(length, maxBodyBytes));
}
