import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { listeningPorts } from './listening-ports.ts';

test('finds the ports on which a process listens, while it does', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  expect(await listeningPorts([process.pid])).toContain(port);
  expect(await listeningPorts([])).toEqual(new Set());
  server.close();
  await once(server, 'close');
  expect(await listeningPorts([process.pid])).not.toContain(port);
});
