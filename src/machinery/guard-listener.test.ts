import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { guardListener } from './guard-listener.ts';
import type { Logger } from './log.ts';

let server: Server;
let lines: string[];
const sockets: Socket[] = [];

beforeEach(async () => {
  lines = [];
  const add = (message: string): void => void lines.push(message);
  const log: Logger = { debug: add, info: add, warn: add, error: add };
  server = createServer(socket => socket.on('error', () => undefined).write('hello'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  guardListener(server, { name: 'test', maxConnections: 2, log });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
  await once(server, 'close');
});

/** @returns whether it was served rather than closed */
async function isServed(): Promise<boolean> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  sockets.push(socket);
  return new Promise(resolve => {
    socket.once('data', () => resolve(true));
    socket.once('close', () => resolve(false));
    socket.on('error', () => undefined);
  });
}

test('connections beyond the limit are closed, which is logged once an episode', async () => {
  expect([await isServed(), await isServed()]).toEqual([true, true]);
  expect([await isServed(), await isServed(), await isServed()]).toEqual([false, false, false]);
  expect(lines).toEqual(['Too many connections: new ones are closed']);
  // The server must have seen its end before there is room again.
  const [first] = sockets;
  first?.destroy();
  while ((await connections()) === 2) await new Promise(setImmediate);
  expect(await isServed()).toBe(true);
  expect(await isServed()).toBe(false);
  expect(lines).toHaveLength(2);
});

const connections = (): Promise<number> =>
  new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
  );

test('an accept that fails is logged, and ends nothing', async () => {
  server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));
  server.emit('error', Object.assign(new Error('accept ENFILE'), { code: 'ENFILE' }));
  expect(lines).toEqual(['A connection was not accepted', 'A connection was not accepted']);
  expect(await isServed()).toBe(true);
});
