import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { execResult } from '../runtime/fake/fake-runtime.ts';
import { runHandler } from './run-handler.ts';
import type { ProbeResult } from './probe-result.ts';

interface Answer {
  readonly code: number;
  readonly location?: string;
  readonly body?: string;
}

let server: Server | undefined;
afterEach(() => new Promise(resolve => server?.close(resolve)));

/** A server that answers by path; what is not listed is answered with 200. */
async function serve(
  answers: (port: number) => Record<string, Answer>,
): Promise<{ port: number; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const listening = createServer((request, response) => {
    requests.push(request);
    const { port } = listening.address() as AddressInfo;
    const { code, location, body = '' } = answers(port)[request.url ?? ''] ?? { code: 200 };
    response.writeHead(code, location === undefined ? {} : { location }).end(body);
  });
  server = listening;
  await new Promise<void>(resolve => listening.listen(0, '127.0.0.1', resolve));
  return { port: (listening.address() as AddressInfo).port, requests };
}

const probe = (
  port: number,
  path: string,
  httpHeaders: { name: string; value: string }[] = [],
): Promise<ProbeResult> =>
  runHandler(
    { httpGet: { port, path, httpHeaders } },
    {
      runtime: { execSync: () => Promise.resolve(execResult(0)) },
      container: { name: 'c', image: 'i' },
      containerId: 'id',
      podIp: '127.0.0.1',
      timeoutMs: 5000,
    },
  );

describe('httpProbe()', () => {
  test.each([301, 302, 303, 307, 308])('follows a %i to the same host', async code => {
    const { port, requests } = await serve(() => ({ '/': { code, location: '/next?a=b' } }));
    expect((await probe(port, '/')).outcome).toBe('success');
    expect(requests.map(each => each.url)).toEqual(['/', '/next?a=b']);
  });

  test('the last answer counts, not the redirect', async () => {
    const { port } = await serve(own => ({
      '/': { code: 302, location: `http://127.0.0.1:${own}/broken` },
      '/broken': { code: 500 },
    }));
    expect(await probe(port, '/')).toEqual({
      outcome: 'failure',
      output: 'HTTP probe failed with statuscode: 500',
      summary: 'HTTP probe failed with statuscode: 500',
    });
  });

  test('a redirect to another host is not followed: a success with a warning', async () => {
    const { port, requests } = await serve(own => ({
      '/': { code: 302, location: `http://localhost:${own}/elsewhere`, body: 'go away' },
    }));
    expect(await probe(port, '/')).toMatchObject({
      outcome: 'warning',
      output: 'Probe terminated redirects, Response body: go away',
    });
    expect(requests).toHaveLength(1);
  });

  test('a redirect that leads nowhere is a warning too', async () => {
    const { port } = await serve(() => ({ '/': { code: 304 } }));
    expect((await probe(port, '/')).outcome).toBe('warning');
  });

  test('redirects without end are a failure', async () => {
    const { port, requests } = await serve(() => ({ '/': { code: 302, location: '/' } }));
    expect(await probe(port, '/')).toMatchObject({
      outcome: 'failure',
      output: `Get "http://127.0.0.1:${port}/": stopped after 10 redirects`,
    });
    expect(requests).toHaveLength(10);
  });

  test('its headers go along; a Host header only as long as the redirect is relative', async () => {
    const { port, requests } = await serve(own => ({
      '/': { code: 302, location: '/two' },
      '/two': { code: 302, location: `http://127.0.0.1:${own}/three` },
    }));
    await probe(port, '/', [
      { name: 'Host', value: 'app.example' },
      { name: 'X-Own', value: '1' },
    ]);
    expect(requests.map(({ headers }) => [headers.host, headers['x-own']])).toEqual([
      ['app.example', '1'],
      ['app.example', '1'],
      [`127.0.0.1:${port}`, '1'],
    ]);
    expect(requests[0]?.headers['user-agent']).toMatch(/^kube-probe\//);
  });

  test('a port that nobody listens on', async () => {
    const { port } = await serve(() => ({}));
    await new Promise(resolve => server?.close(resolve));
    expect((await probe(port, '/x')).output).toBe(
      `Get "http://127.0.0.1:${port}/x": dial tcp 127.0.0.1:${port}: connect: connection refused`,
    );
  });
});
