import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';

/** Mounts a tmpfs on an existing folder. @throws Error with mount's own words */
export type Tmpfs = (
  dir: string,
  options: { readonly mode: string; readonly sizeBytes?: number | undefined },
) => Promise<void>;

/** Every mount point of this process, the oldest first. */
export async function mountPoints(): Promise<string[]> {
  return parseMounts(await readFile(table, 'utf8')).map(({ point }) => point);
}

export interface MountedPath {
  /** What of its file system is mounted. */
  readonly root: string;
  readonly point: string;
}

/** What is mounted below a folder. */
export const mountsBelow = (folder: string): MountedPath[] =>
  parseMounts(readFileSync(table, 'utf8')).filter(({ point }) => point.startsWith(`${folder}/`));

const table = '/proc/self/mountinfo';

const parseMounts = (text: string): MountedPath[] =>
  text
    .split('\n')
    .map(line => line.split(' '))
    .filter(({ length }) => length > 4)
    .map(([, , , root = '', point = '']) => ({ root: unescaped(root), point: unescaped(point) }));

const unescaped = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );

/** The mount points of the moment, read when first asked for. */
export function readMountTable(): () => Promise<ReadonlySet<string>> {
  let table: Promise<ReadonlySet<string>> | undefined;
  return () => (table ??= mountPoints().then(points => new Set(points)));
}

/** Pages of these tmpfs never go to swap where the kernel can promise it (6.3): found out once. */
export function createTmpfs(): Tmpfs {
  let noswap = true;
  return async (dir, { mode, sizeBytes }) => {
    const options = [`mode=${mode}`, ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`])];
    const mount = (all: string[]): Promise<void> =>
      run('mount', ['-t', 'tmpfs', '-o', all.join(','), 'tmpfs', dir]);
    if (noswap) {
      try {
        return await mount([...options, 'noswap']);
      } catch {
        await mount(options);
        noswap = false;
        return;
      }
    }
    await mount(options);
  };
}

/** Binds what an open file is, wherever its path may lead by now, to a path. */
export async function bindMount(fd: number, target: string): Promise<void> {
  // -c: mount(8) would resolve the path; the kernel follows the open file itself.
  const child = spawn('mount', ['-c', '--bind', '/proc/self/fd/3', target], {
    stdio: ['ignore', 'ignore', 'pipe', fd],
  });
  const stderr = child.stderr;
  const [words, [code]] = await Promise.all([
    stderr === null ? '' : text(stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  if (code !== 0) throw new Error(words.trim() || `mount ended with ${code}`);
}

/**
 * Unmounts everything in a folder, the newest first; lazily what is busy.
 * @throws Error if a mount remains: removing the folder would remove what is mounted there
 */
export async function unmountUnder(folder: string): Promise<void> {
  const under = async (): Promise<string[]> =>
    (await mountPoints()).filter(point => point.startsWith(`${folder}/`)).toReversed();
  const points = await under();
  if (points.length === 0) return;
  try {
    await run('umount', points);
  } catch {
    const busy = await under();
    if (busy.length > 0) await run('umount', ['-l', ...busy]).catch(() => undefined);
  }
  const [left] = await under();
  if (left !== undefined) throw new Error(`cannot unmount ${left}`);
}

export const unmount = (point: string): Promise<void> => run('umount', ['-l', point]);

const exec = promisify(execFile);

async function run(command: string, args: string[]): Promise<void> {
  try {
    await exec(command, args);
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    throw new Error(stderr.trim() || message, { cause: error });
  }
}
