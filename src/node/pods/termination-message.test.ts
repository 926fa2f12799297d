import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ContainerStatus } from '../runtime/runtime.ts';
import { annotations } from './names.ts';
import { makeTerminationMessageFile, readTerminationMessage } from './termination-message.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'keylet-message-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const target = '/dev/termination-log';
const messageOf = (hostPath: string): Promise<string> =>
  readTerminationMessage({
    annotations: { [annotations.terminationMessagePath]: target },
    mounts: [{ containerPath: target, hostPath }],
    exitCode: 0,
    logPath: '',
  } as unknown as ContainerStatus);
const made = (): Promise<string> =>
  makeTerminationMessageFile(path.join(folder, 'pods/uid'), 'main', 0);

test('what the container wrote into its file is its message', async () => {
  const file = await made();
  await writeFile(file, 'done');
  expect(await messageOf(file)).toBe('done');
});

test('a file of a mount of its own is not read', async () => {
  const file = path.join(folder, 'v');
  await writeFile(file, 'secret');
  expect(await messageOf(file)).toBe('');
});

test.each<[string, (file: string) => unknown]>([
  ['a FIFO, which would wait for a writer', file => execFileSync('mkfifo', [file])],
  ['a link', file => symlink('/etc/hostname', file)],
  ['a folder', file => execFileSync('mkdir', [file])],
])('%s in the place of its file is no message', async (_what, replaceBy) => {
  const file = await made();
  await rm(file);
  await replaceBy(file);
  expect(await messageOf(file)).toBe('');
});
