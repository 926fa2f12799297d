import { watch } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import path from 'node:path';
import type { ContainerStatus, Runtime } from '../runtime/runtime.ts';
import { parseLogLine } from './log-line.ts';
import { tailOffset } from './tail-offset.ts';

interface LogOptions {
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly tailLines: number | undefined;
  /** Milliseconds since the epoch. */
  readonly sinceMs: number | undefined;
  readonly limitBytes: number;
}

const chunkBytes = 256 * 1024;
/** A quiet log is looked at so often for the end of its container. */
const quietMs = 1000;

/** Writes a container's log as it was asked for, and goes on with it while it is followed. */
export async function sendLogs(
  status: ContainerStatus,
  query: URLSearchParams,
  response: ServerResponse,
  runtime: Runtime,
): Promise<void> {
  const options = optionsOf(query);
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.flushHeaders();
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const file = await open(status.logPath).catch(() => undefined);
  if (file !== undefined) {
    try {
      await stream(file, status, options, response, runtime, gone.signal);
    } finally {
      await file.close();
    }
  }
  response.end();
}

function optionsOf(query: URLSearchParams): LogOptions {
  const number = (name: string): number | undefined =>
    query.has(name) ? Number(query.get(name)) : undefined;
  const flag = (name: string): boolean => ['true', '1'].includes(query.get(name) ?? '');
  const seconds = number('sinceSeconds');
  const time = query.get('sinceTime');
  return {
    follow: flag('follow'),
    timestamps: flag('timestamps'),
    tailLines: number('tailLines'),
    sinceMs:
      seconds !== undefined
        ? Date.now() - seconds * 1000
        : time === null
          ? undefined
          : Date.parse(time),
    limitBytes: number('limitBytes') ?? Number.POSITIVE_INFINITY,
  };
}

async function stream(
  file: FileHandle,
  status: ContainerStatus,
  options: LogOptions,
  response: ServerResponse,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<void> {
  let offset = options.tailLines === undefined ? 0 : await tailOffset(file, options.tailLines);
  let rest = '';
  let left = options.limitBytes;
  // As the kubelet: a log that grows meanwhile has no more than the last lines that were asked for.
  let linesLeft = options.follow ? Infinity : (options.tailLines ?? Infinity);
  let lineStart = true;
  const write = async (text: string): Promise<void> => {
    const bytes = Buffer.from(text).subarray(
      0,
      left === Number.POSITIVE_INFINITY ? undefined : left,
    );
    left -= bytes.length;
    if (!response.write(bytes)) await once(response, 'drain', { signal }).catch(() => undefined);
  };
  /** @returns whether anything was read */
  const drain = async (): Promise<boolean> => {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(chunkBytes), 0, chunkBytes, offset);
    if (bytesRead === 0) return false;
    offset += bytesRead;
    const lines = (rest + buffer.toString('latin1', 0, bytesRead)).split('\n');
    rest = lines.pop() ?? '';
    let text = '';
    for (const line of lines) {
      if (linesLeft <= 0) break;
      linesLeft -= 1;
      const entry = parseLogLine(Buffer.from(line, 'latin1').toString());
      if (
        entry === undefined ||
        (options.sinceMs !== undefined && Date.parse(entry.time) < options.sinceMs)
      )
        continue;
      text += `${options.timestamps && lineStart ? `${entry.time} ` : ''}${entry.text}${entry.partial ? '' : '\n'}`;
      lineStart = !entry.partial;
    }
    if (text !== '') await write(text);
    return true;
  };
  const drainAll = async (): Promise<void> => {
    while (left > 0 && linesLeft > 0 && !signal.aborted && (await drain()));
  };

  await drainAll();
  if (!options.follow) return;
  const wake = createWake(status.logPath, signal);
  try {
    while (left > 0 && !signal.aborted) {
      const state = await runtime.containerStatus(status.id).then(
        each => each.state,
        () => 'CONTAINER_EXITED',
      );
      // What was written before the end is read after the end was seen.
      await drainAll();
      if (state !== 'CONTAINER_RUNNING' && state !== 'CONTAINER_CREATED') return;
      await wake.next();
      await drainAll();
      if (await wasTruncated(status.logPath, offset)) offset = 0;
    }
  } finally {
    wake.close();
  }
}

async function wasTruncated(file: string, offset: number): Promise<boolean> {
  const size = await stat(file).then(
    each => each.size,
    () => offset,
  );
  return size < offset;
}

/** Resolves `next` on a change of the file, and after a quiet while. */
function createWake(file: string, signal: AbortSignal): { next(): Promise<void>; close(): void } {
  let resolve = (): void => undefined;
  let changed = false;
  const poke = (): void => {
    changed = true;
    resolve();
  };
  const watcher = watch(path.dirname(file), poke);
  watcher.on('error', poke);
  signal.addEventListener('abort', poke, { once: true });
  return {
    async next() {
      if (!changed) {
        await new Promise<void>(done => {
          const timer = setTimeout(done, quietMs);
          resolve = () => {
            clearTimeout(timer);
            done();
          };
        });
      }
      changed = false;
    },
    close: () => watcher.close(),
  };
}
