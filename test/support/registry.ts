import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { OciImage } from '../../src/node/runtime/archive/oci-image.ts';
import { eventually } from './eventually.ts';
import { mustRun } from './run.ts';

export interface Registry {
  /** `127.0.0.1:<port>`. */
  readonly address: string;
  push(name: string, tag: string, image: OciImage): Promise<void>;
  /** What was asked of it so far: `GET /v2/app/manifests/1 200`, a line a request. */
  requests(): readonly string[];
  close(): Promise<void>;
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export interface RegistryOptions {
  /** Who may do anything at all; default: everybody. */
  readonly credentials?: Credentials;
  /** PEM; default: plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string };
}

/** Debian's docker-registry on a free port of loopback. */
export async function startRegistry({ credentials, tls }: RegistryOptions = {}): Promise<Registry> {
  const folder = await mkdtemp(path.join(tmpdir(), 'keylet-registry-'));
  const address = `127.0.0.1:${await freePort()}`;
  const url = `${tls === undefined ? 'http' : 'https'}://${address}`;
  const file = async (name: string, content: string): Promise<string> => {
    await writeFile(path.join(folder, name), content, { mode: 0o600 });
    return path.join(folder, name);
  };
  let auth = '';
  if (credentials !== undefined) {
    const line = await mustRun('htpasswd', ['-niB', credentials.user], {
      input: credentials.password,
    });
    auth = `auth:\n  htpasswd:\n    realm: registry\n    path: ${await file('htpasswd', line)}\n`;
  }
  const certificate =
    tls === undefined
      ? ''
      : `  tls:\n    certificate: ${await file('tls.crt', tls.cert)}\n    key: ${await file('tls.key', tls.key)}\n`;
  const config = await file(
    'config.yml',
    `version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: ${folder}/data\n  delete:\n    enabled: true\nhttp:\n  addr: ${address}\n${certificate}${auth}`,
  );
  const child = spawn('docker-registry', ['serve', config], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let accessLog = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (accessLog += text));
  const headers: Record<string, string> =
    credentials === undefined
      ? {}
      : {
          authorization: `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64')}`,
        };
  const ask = async (
    method: string,
    where: string | URL,
    body?: Buffer,
    type = 'application/octet-stream',
  ): Promise<IncomingMessage & { text: string }> => {
    const request = (tls === undefined ? httpRequest : httpsRequest)(new URL(where, url), {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': type }) },
      ...(tls === undefined ? {} : { ca: tls.ca }),
    });
    request.end(body);
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of answer.setEncoding('utf8')) text += String(chunk);
    return Object.assign(answer, { text });
  };
  await eventually(async () => (await ask('GET', '/v2/')).statusCode === 200);

  const upload = async (name: string, digest: string, content: Buffer): Promise<void> => {
    const begun = await ask('POST', `/v2/${name}/blobs/uploads/`);
    const location = new URL(begun.headers.location ?? '', url);
    location.searchParams.set('digest', digest);
    const done = await ask('PUT', location, content);
    if (done.statusCode !== 201)
      throw new Error(`The registry refused a blob: ${done.statusCode} ${done.text}`);
  };
  return {
    address,
    async push(name, tag, image) {
      for (const { digest, content } of image.blobs) await upload(name, digest, content);
      const { mediaType, content } = image.manifest;
      const answer = await ask('PUT', `/v2/${name}/manifests/${tag}`, content, mediaType);
      if (answer.statusCode !== 201)
        throw new Error(`The registry refused ${name}:${tag}: ${answer.statusCode} ${answer.text}`);
    },
    requests: () =>
      [...accessLog.matchAll(/"([A-Z]+) (\S+) HTTP\/[\d.]+" (\d+)/g)].map(
        ([, method, target, status]) => `${method} ${target} ${status}`,
      ),
    async close() {
      if (child.exitCode === null && child.signalCode === null) {
        const closed = once(child, 'close');
        child.kill();
        await closed;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
