import { appendFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ContainerStatus } from '../runtime/container-runtime.ts';
import { createFakeRuntime } from '../runtime/fake/fake-runtime.ts';
import { sendLogs } from './send-logs.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'keylet-logs-'));
});
afterEach(() => rm(folder, { recursive: true }));

const status = (logPath: string): ContainerStatus => ({
  id: 'c',
  metadata: { name: 'c', attempt: 0 },
  state: 'CONTAINER_RUNNING',
  createdAt: 0n,
  startedAt: 0n,
  finishedAt: 0n,
  exitCode: 0,
  image: '',
  imageRef: '',
  reason: '',
  message: '',
  labels: {},
  annotations: {},
  logPath,
  mounts: [],
});
const line = (text: string): string => `2026-01-02T03:04:05.000000006Z stdout F ${text}\n`;

/** @param onWrite called when a part of the log has been sent */
async function logsOf(file: string, query: string, onWrite: () => void): Promise<string> {
  const server = createServer((_request, response) => {
    const write = response.write.bind(response);
    response.write = (chunk: Buffer) => {
      onWrite();
      return write(chunk);
    };
    void sendLogs(status(file), new URLSearchParams(query), response, createFakeRuntime());
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await (await fetch(`http://127.0.0.1:${port}/`)).text();
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('the last lines of a log that grows meanwhile are no more than was asked for', async () => {
  const file = path.join(folder, 'log');
  // Each is longer than what is read at once, so that the log can grow between two reads.
  const long = (letter: string): string => letter.repeat(200 * 1024);
  await writeFile(file, line('old') + line(long('a')) + line(long('b')));
  const sent = await logsOf(file, 'tailLines=2', () => appendFileSync(file, line('new')));
  expect(sent.split('\n').map(each => each[0])).toEqual(['a', 'b', undefined]);
});
