import { randomInt } from 'node:crypto';
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
  rmdirSync,
  rmSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { fileError } from './file-error.ts';
import type { Payload, ProjectedFile } from './payload.ts';

/** What a version's files hold, by relative path. */
export type Contents = ReadonlyMap<string, Pick<ProjectedFile, 'data'>>;

/** `..2006_01_02_15_04_05.<digits>`, UTC. */
export const versionName = (): string =>
  `..${new Date().toISOString().slice(0, 19).replaceAll(/[-T:]/g, '_')}.${randomInt(2 ** 32)}`;

/**
 * Writes files into a new folder, with their final modes, owners and group.
 * @param gid fsGroup: the group of all, which may read them
 * @throws Error with the kubelet's text; nothing is left then
 */
export function writeVersion(folder: string, files: Payload, gid: number | undefined): void {
  const made = new Set<string>();
  const makeFolder = (name: string): void => {
    if (made.has(name)) return;
    if (name !== folder) makeFolder(path.dirname(name));
    makeOne(name, gid);
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

function makeOne(name: string, gid: number | undefined): void {
  try {
    mkdirSync(name);
    if (gid !== undefined) chownSync(name, 0, gid);
    chmodSync(name, gid === undefined ? 0o755 : 0o2755);
  } catch (error) {
    // A file is there, which this version has as a folder too.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new Error(`mkdir ${name}: not a directory`, { cause: error });
    }
    throw fileError(error, name);
  }
}

function writeFile(to: string, { data, mode, uid = 0 }: ProjectedFile, gid?: number): void {
  try {
    const fd = openSync(to, 'w', 0o600);
    try {
      for (let written = 0; written < data.length;) written += writeSync(fd, data, written);
      if (gid !== undefined || uid !== 0) fchownSync(fd, uid, gid ?? 0);
      fchmodSync(fd, gid === undefined ? mode : mode | 0o440);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw fileError(error, to);
  }
}

/** What an agent before this one wrote. */
export function readVersion(folder: string): Contents {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return new Map(
    entries
      .filter(entry => entry.isFile())
      .map(({ parentPath, name }) => {
        const file = path.join(parentPath, name);
        return [path.relative(folder, file), { data: readFileSync(file) }];
      }),
  );
}

/** Removes a version by the names it is known to have: a walk of the folder takes twice as long. */
export function removeVersion(folder: string, contents: Contents): void {
  try {
    const folders = new Set<string>();
    for (const name of contents.keys()) {
      unlinkSync(path.join(folder, name));
      for (let up = path.dirname(name); up !== '.'; up = path.dirname(up)) folders.add(up);
    }
    const deepestFirst = [...folders].toSorted((a, b) => b.length - a.length);
    for (const name of deepestFirst) rmdirSync(path.join(folder, name));
    rmdirSync(folder);
  } catch {
    rmSync(folder, { recursive: true, force: true });
  }
}
