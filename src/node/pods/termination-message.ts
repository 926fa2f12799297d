import { constants } from 'node:fs';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { writeFileWithMode } from '../file-modes.ts';
import type { ContainerStatus } from '../runtime/runtime.ts';
import { annotations } from './names.ts';

const maxBytes = 4096;
const maxLogBytes = 2048;

/** Makes the file that a container may write its termination message to. @returns its path on the host */
export async function makeTerminationMessageFile(
  podDir: string,
  container: string,
  attempt: number,
): Promise<string> {
  const folder = path.join(podDir, 'containers', container);
  await mkdir(folder, { recursive: true, mode: 0o750 });
  const file = path.join(folder, String(attempt));
  // Whichever user the container runs as has to write it.
  await writeFileWithMode(file, '', 0o666);
  return file;
}

/** The termination message of a container; the end of its log where it left none and the policy says so. */
export async function readTerminationMessage(status: ContainerStatus): Promise<string> {
  const target = status.annotations[annotations.terminationMessagePath] ?? '';
  // Only the file that was made for it, never one of a volume that the user mounts at that path.
  const file = status.mounts.find(
    ({ containerPath, hostPath }) => containerPath === target && madeForMessages.test(hostPath),
  )?.hostPath;
  const message = file === undefined ? '' : await readEnd(file, maxBytes);
  const fallBack =
    status.annotations[annotations.terminationMessagePolicy] === 'FallbackToLogsOnError';
  if (message !== '' || !fallBack || status.exitCode === 0 || status.logPath === '') return message;
  const log = await readNoLink(status.logPath);
  const lines = log.split('\n').filter(Boolean).slice(-80);
  return lines
    .map(line => line.split(' ').slice(3).join(' '))
    .join('\n')
    .slice(-maxLogBytes);
}

/** As `makeTerminationMessageFile` names it. */
const madeForMessages = /\/pods\/[^/]+\/containers\/[^/]+\/\d+$/;

/** A link or a FIFO in its place is not the runtime's; opening a FIFO would wait for a writer. */
async function openRegularFile(file: string): Promise<FileHandle> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(file, flags);
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new Error('not a regular file');
}

async function readNoLink(file: string): Promise<string> {
  try {
    await using handle = await openRegularFile(file);
    return await handle.readFile('utf8');
  } catch {
    return '';
  }
}

async function readEnd(file: string, bytes: number): Promise<string> {
  try {
    await using handle = await openRegularFile(file);
    const { size } = await handle.stat();
    const length = Math.min(size, bytes);
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString();
  } catch {
    return '';
  }
}
