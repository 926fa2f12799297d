import { readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { fileError } from './file-error.ts';
import { cleanPaths } from './payload-paths.ts';
import type { Payload } from './payload.ts';
import {
  readVersion,
  removeVersion,
  versionName,
  writeVersion,
  type Contents,
} from './version-folder.ts';

/** Publishes versions of a set of files in a folder: a reader sees one whole version or another. */
export interface AtomicWriter {
  /**
   * @returns whether anything was written: the same content is left as it is, with its times
   * @throws Error with the kubelet's text; what was there is still there then
   */
  write(payload: Payload): boolean;
}

interface Version {
  /** Name of its folder. */
  readonly folder: string;
  readonly contents: Contents;
}

const dataLink = '..data';
const nextDataLink = '..data_tmp';

/**
 * The kubelet's AtomicWriter: real files lie in `..<timestamp>`, `..data` leads there, and each top name is a
 * link through `..data`. A version is written out whole, with its final modes and owners, before `..data`
 * is renamed onto it; then names are added and taken away, and the old version goes.
 *
 * Calls are synchronous: on tmpfs one takes microseconds, less than the way to a thread and back.
 * @param gid fsGroup: the group of all files, which may read them
 */
export function createAtomicWriter(dir: string, gid?: number): AtomicWriter {
  const at = (name: string): string => path.join(dir, name);
  let current: Version | undefined;
  let links: Set<string> | undefined;

  return {
    write(payload) {
      const files = cleanPaths(payload);
      if (links === undefined) {
        current = findVersion(dir);
        links = tidy(dir, current?.folder);
      }
      const before = links;
      const old = current;
      const changed = old === undefined || !sameContent(old.contents, files);
      const folder = changed ? versionName() : old.folder;
      if (changed) {
        writeVersion(at(folder), files, gid);
        publish(dir, folder);
      }
      // Also where nothing changed: what was read from the disk is held once for all volumes by now.
      current = { folder, contents: files };
      // Should any of the rest fail, the next call looks at what there is.
      links = undefined;
      const there = relink(dir, before, new Set([...files.keys()].map(topName)));
      if (changed && old !== undefined) removeVersion(at(old.folder), old.contents);
      links = there;
      return changed;
    },
  };
}

const topName = (name: string): string => name.split('/', 1)[0] ?? name;

function sameContent(old: Contents, next: Payload): boolean {
  if (old.size !== next.size) return false;
  for (const [name, { data }] of next) {
    const before = old.get(name)?.data;
    if (before === undefined || (before !== data && !before.equals(data))) return false;
  }
  return true;
}

function publish(dir: string, folder: string): void {
  const next = path.join(dir, nextDataLink);
  try {
    symlinkSync(folder, next);
    renameSync(next, path.join(dir, dataLink));
  } catch (error) {
    for (const name of [nextDataLink, folder]) {
      rmSync(path.join(dir, name), { recursive: true, force: true });
    }
    throw fileError(error, next);
  }
}

/** Adds and takes away top names. @returns those there are now */
function relink(dir: string, links: ReadonlySet<string>, wanted: ReadonlySet<string>): Set<string> {
  const there = new Set(wanted);
  for (const name of wanted) {
    if (!links.has(name) && !link(path.join(dir, name), path.join(dataLink, name))) {
      there.delete(name);
    }
  }
  for (const name of links) if (!wanted.has(name)) rmSync(path.join(dir, name), { force: true });
  return there;
}

/** @returns false where something else is: a mount point that a container needs below this folder */
function link(from: string, target: string): boolean {
  try {
    symlinkSync(target, from);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw fileError(error, from);
  }
}

/** What an agent before this one published. */
function findVersion(dir: string): Version | undefined {
  try {
    const folder = readlinkSync(path.join(dir, dataLink));
    return { folder, contents: readVersion(path.join(dir, folder)) };
  } catch {
    return undefined;
  }
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
