import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { Runtime } from '../runtime/runtime.ts';
import { runHandler, type HandlerResult } from './handler.ts';

const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(
    servers.splice(0).map(async server => {
      const closed = once(server, 'close');
      server.close();
      await closed;
    }),
  );
});

async function listening(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const get = (port: number, timeoutMs: number): Promise<HandlerResult> =>
  runHandler(
    { httpGet: { port, path: '/' } },
    {
      runtime: {} as Runtime,
      container: { name: 'c' },
      containerId: 'id',
      podIp: '127.0.0.1',
      timeoutMs,
    },
  );

test('an answer that never ends is read no further than the kubelet reads', async () => {
  const answers: ServerResponse[] = [];
  const server = createServer((_request, response) => {
    answers.push(response);
    const goOn = (): void => {
      while (response.write(Buffer.alloc(64 * 1024)));
    };
    response.on('drain', goOn);
    goOn();
  });
  const port = await listening(server);
  expect(await get(port, 60_000)).toMatchObject({ ok: true });
  const [answer] = answers;
  if (answer?.closed === false) await once(answer, 'close');
  expect(answers).toHaveLength(1);
});

test('a head that comes byte by byte does not outlast the timeout', async () => {
  const server = createTcpServer(socket => {
    socket.on('error', () => undefined);
    const drip = setInterval(() => socket.write('H'), 20);
    socket.write('HTTP/1.1 200 OK\r\nx-long: ');
    socket.once('close', () => clearInterval(drip));
  });
  const port = await listening(server);
  const { ok, output } = await get(port, 200);
  expect({ ok, output }).toEqual({
    ok: false,
    output: `Get "http://127.0.0.1:${port}/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
  });
});

test('of what a command prints, the beginning counts', async () => {
  const printed = Buffer.alloc(1024 * 1024, 'x');
  const runtime = {
    execSync: () => Promise.resolve({ exitCode: 1, stdout: printed, stderr: Buffer.of() }),
  };
  const { ok, output } = await runHandler(
    { exec: { command: ['cat'] } },
    {
      runtime: runtime as unknown as Runtime,
      container: { name: 'c' },
      containerId: 'id',
      podIp: '',
      timeoutMs: 1000,
    },
  );
  expect({ ok, length: output.length }).toEqual({ ok: false, length: 10_240 });
});
