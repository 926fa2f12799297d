import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
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
  close(): Promise<void>;
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** Debian's docker-registry on a free port of loopback, with a password if one is given. */
export async function startRegistry(credentials?: Credentials): Promise<Registry> {
  const folder = await mkdtemp(path.join(tmpdir(), 'keylet-registry-'));
  const address = `127.0.0.1:${await freePort()}`;
  let auth = '';
  if (credentials !== undefined) {
    const file = path.join(folder, 'htpasswd');
    await writeFile(
      file,
      await mustRun('htpasswd', ['-niB', credentials.user], { input: credentials.password }),
    );
    auth = `auth:\n  htpasswd:\n    realm: registry\n    path: ${file}\n`;
  }
  const config = path.join(folder, 'config.yml');
  await writeFile(
    config,
    `version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: ${folder}/data\n  delete:\n    enabled: true\nhttp:\n  addr: ${address}\n${auth}`,
  );
  const child = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  const headers: Record<string, string> =
    credentials === undefined
      ? {}
      : {
          authorization: `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64')}`,
        };
  await eventually(async () => (await fetch(`http://${address}/v2/`, { headers })).ok);

  const upload = async (name: string, digest: string, content: Buffer): Promise<void> => {
    const begun = await fetch(`http://${address}/v2/${name}/blobs/uploads/`, {
      method: 'POST',
      headers,
    });
    const location = new URL(begun.headers.get('location') ?? '', `http://${address}`);
    location.searchParams.set('digest', digest);
    const done = await fetch(location, {
      method: 'PUT',
      headers: { ...headers, 'content-type': 'application/octet-stream' },
      body: new Uint8Array(content),
    });
    if (!done.ok)
      throw new Error(`The registry refused a blob: ${done.status} ${await done.text()}`);
  };
  return {
    address,
    async push(name, tag, image) {
      for (const { digest, content } of image.blobs) await upload(name, digest, content);
      const { manifest } = image;
      const answer = await fetch(`http://${address}/v2/${name}/manifests/${tag}`, {
        method: 'PUT',
        headers: { ...headers, 'content-type': manifest.mediaType },
        body: new Uint8Array(manifest.content),
      });
      if (!answer.ok)
        throw new Error(
          `The registry refused ${name}:${tag}: ${answer.status} ${await answer.text()}`,
        );
    },
    async close() {
      const closed = once(child, 'close');
      child.kill();
      await closed;
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
