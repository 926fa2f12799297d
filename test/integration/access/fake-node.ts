/** What stands where a node's server would: it accepts every upgrade, and counts what reaches it. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { KeyPair } from '../../../src/server/pki/key-pair.ts';

export interface FakeNode {
  readonly port: number;
  /** How many requests have come. */
  reached(): number;
  close(): Promise<void>;
}

export async function startFakeNode(ca: string, { cert, key }: KeyPair): Promise<FakeNode> {
  let reached = 0;
  const server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: true });
  server.on('request', (_request, response) => {
    reached += 1;
    response.end('a line of a log\n');
  });
  const upgraded = new Set<Duplex>();
  server.on('upgrade', (request, socket: Duplex) => {
    reached += 1;
    upgraded.add(socket);
    socket.once('close', () => upgraded.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.resume();
    socket.end(
      `HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ${request.headers.upgrade ?? ''}\r\n\r\n`,
    );
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    reached: () => reached,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
        for (const socket of upgraded) socket.destroy();
      }),
  };
}
