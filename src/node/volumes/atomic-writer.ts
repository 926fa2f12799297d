import {
  chmodSync,
  chownSync,
  closeSync,
  fchmodSync,
  fchownSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { randomInt } from 'node:crypto';
import path from 'node:path';
import type { Payload, ProjectedFile } from './payload.ts';

/** Publishes versions of a set of files in a folder: a reader sees one whole version or another. */
export interface AtomicWriter {
  /** @returns whether anything was written: the same content is left as it is. @throws Error */
  write(payload: Payload): boolean;
}

interface Version {
  /** Name of its folder. */
  readonly folder: string;
  readonly contents: ReadonlyMap<string, Pick<ProjectedFile, 'data'>>;
}

const dataLink = '..data';
const nextDataLink = '..data_tmp';

/**
 * The kubelet's AtomicWriter: real files lie in `..<timestamp>`, `..data` leads there, and each top name is a
 * link through `..data`. A version is written out whole, with its final modes and groups, before `..data`
 * is renamed onto it; then names are added and taken away, and the old version goes.
 *
 * Calls are synchronous: on tmpfs one takes microseconds, less than the way to a thread and back.
 * @param gid fsGroup: the group of all files, which may read them
 */
export function createAtomicWriter(dir: string, gid?: number): AtomicWriter {
  const at = (...parts: string[]): string => path.join(dir, ...parts);
  let current: Version | undefined;
  let links: Set<string> | undefined;

  return {
    write(payload) {
      const files = cleaned(payload);
      if (links === undefined) {
        current = readVersion(dir);
        links = tidy(dir, current?.folder);
      }
      const top = new Set([...files.keys()].map(topName));
      const changed = current === undefined || !sameContent(current.contents, files);
      const old = current;
      if (changed) {
        const folder = versionName();
        writeVersion(at(folder), files, gid);
        publish(dir, folder);
        current = { folder, contents: files };
      }
      for (const name of top) if (!links.has(name)) link(at(name), path.join(dataLink, name));
      for (const name of links) if (!top.has(name)) unlinkSync(at(name));
      links = top;
      if (changed && old !== undefined) rmSync(at(old.folder), { recursive: true, force: true });
      return changed;
    },
  };
}

/** The last of two files at one path wins, as their order in the payload says. */
function cleaned(payload: Payload): Payload {
  const files = new Map<string, ProjectedFile>();
  for (const [name, file] of payload) {
    mustBeSafe(name);
    files.set(path.posix.normalize(name), file);
  }
  return files;
}

/** atomic_writer.go validatePath. */
function mustBeSafe(name: string): void {
  if (name === '') refuse('must not be empty: ""');
  if (path.posix.isAbsolute(name)) refuse(`must be relative path: ${name}`);
  if (Buffer.byteLength(name) > 4096) refuse('must be less than or equal to 4096 characters');
  const parts = name.split('/');
  if (parts.includes('..')) refuse(`must not contain '..': ${name}`);
  if (parts.some(part => Buffer.byteLength(part) > 255)) {
    refuse('filenames must be less than or equal to 255 characters');
  }
  if (name.startsWith('..')) refuse(`must not start with '..': ${name}`);
}

function refuse(why: string): never {
  throw new Error(`invalid path: ${why}`);
}

const topName = (name: string): string => name.split('/', 1)[0] ?? name;

function sameContent(old: Version['contents'], next: Payload): boolean {
  if (old.size !== next.size) return false;
  for (const [name, { data }] of next) {
    const before = old.get(name)?.data;
    if (before === undefined || (before !== data && !before.equals(data))) return false;
  }
  return true;
}

/** `..2006_01_02_15_04_05.<digits>`, UTC. */
const versionName = (): string =>
  `..${new Date().toISOString().slice(0, 19).replaceAll(/[-T:]/g, '_')}.${randomInt(2 ** 32)}`;

function writeVersion(folder: string, files: Payload, gid: number | undefined): void {
  const made = new Set<string>();
  const makeFolder = (name: string): void => {
    if (made.has(name)) return;
    if (name !== folder) makeFolder(path.dirname(name));
    mkdirSync(name);
    if (gid !== undefined) chownSync(name, 0, gid);
    chmodSync(name, gid === undefined ? 0o755 : 0o2755);
    made.add(name);
  };
  try {
    makeFolder(folder);
    for (const [name, file] of files) {
      const to = path.join(folder, name);
      makeFolder(path.dirname(to));
      writeFile(to, file, gid);
    }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function writeFile(to: string, { data, mode, uid = 0 }: ProjectedFile, gid?: number): void {
  const fd = openSync(to, 'wx', 0o600);
  try {
    for (let written = 0; written < data.length;) written += writeSync(fd, data, written);
    if (gid !== undefined || uid !== 0) fchownSync(fd, uid, gid ?? 0);
    fchmodSync(fd, gid === undefined ? mode : mode | 0o440);
  } finally {
    closeSync(fd);
  }
}

function publish(dir: string, folder: string): void {
  const next = path.join(dir, nextDataLink);
  try {
    symlinkSync(folder, next);
    renameSync(next, path.join(dir, dataLink));
  } catch (error) {
    rmSync(path.join(dir, folder), { recursive: true, force: true });
    throw error;
  }
}

function link(from: string, target: string): void {
  try {
    symlinkSync(target, from);
  } catch (error) {
    // Something else is there: a mount point that a container needed below this folder.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** What an agent before this one published. */
function readVersion(dir: string): Version | undefined {
  let folder: string;
  try {
    folder = readlinkSync(path.join(dir, dataLink));
  } catch {
    return undefined;
  }
  const root = path.join(dir, folder);
  const entries = readdirSync(root, { recursive: true, withFileTypes: true });
  const files = entries.filter(entry => entry.isFile());
  return {
    folder,
    contents: new Map(
      files.map(({ parentPath, name }) => {
        const file = path.join(parentPath, name);
        return [path.relative(root, file), { data: readFileSync(file) }];
      }),
    ),
  };
}

/** Takes away what a crash may have left behind. @returns the top names there are */
function tidy(dir: string, folder: string | undefined): Set<string> {
  const links = new Set<string>();
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const { name } = entry;
    if (name === dataLink || name === folder) continue;
    if (name.startsWith('..')) rmSync(path.join(dir, name), { recursive: true, force: true });
    else if (entry.isSymbolicLink()) links.add(name);
  }
  return links;
}
