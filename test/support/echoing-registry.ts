import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A registry that knows one image, refuses it to everybody, and repeats what it was sent. */
export async function startEchoingRegistry(): Promise<{
  readonly address: string;
  close(): Promise<void>;
}> {
  const server = createServer((request, response) => {
    const { authorization = '' } = request.headers;
    if (authorization === '') {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="echo"' }).end();
      return;
    }
    if (request.method === 'HEAD') {
      response
        .writeHead(200, {
          'docker-content-digest': `sha256:${'a'.repeat(64)}`,
          'content-type': 'application/vnd.oci.image.manifest.v1+json',
          'content-length': '100',
        })
        .end();
      return;
    }
    const plain = Buffer.from(authorization.replace('Basic ', ''), 'base64').toString();
    const message = `${plain} may not pull (${authorization})`;
    response.writeHead(403, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ errors: [{ code: 'DENIED', message }] }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
