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
  /**
   * Takes away the versions that were replaced at least so long ago, and that nothing holds: a reader that was on
   * its way to one finds what it looks for.
   * @returns whether there are younger ones
   */
  sweep(ageMs: number): boolean;
}

export interface AtomicWriterOptions {
  /** fsGroup: the group of all files, which may read them. */
  readonly gid?: number | undefined;
  /** Names of versions that have to stay though they were replaced. */
  readonly held?: (() => ReadonlySet<string>) | undefined;
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
 * is renamed onto it; then names are added and taken away. Old versions go with `sweep`.
 *
 * Calls are synchronous: on tmpfs one takes microseconds, less than the way to a thread and back.
 */
export function createAtomicWriter(
  dir: string,
  { gid, held = () => new Set() }: AtomicWriterOptions = {},
): AtomicWriter {
  const at = (name: string): string => path.join(dir, name);
  let current: Version | undefined;
  let links: Set<string> | undefined;
  let replaced: (Version & { readonly atMs: number })[] = [];

  return {
    write(payload) {
      const files = cleanPaths(payload);
      if (links === undefined) {
        current = findVersion(dir);
        const found = tidy(dir, new Set([...held(), current?.folder ?? '']));
        links = found.links;
        replaced = found.versions
          .filter(folder => folder !== current?.folder)
          .map(folder => ({ folder, contents: new Map(), atMs: 0 }));
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
      if (changed && old !== undefined) replaced.push({ ...old, atMs: performance.now() });
      links = relink(dir, before, new Set([...files.keys()].map(topName)));
      return changed;
    },
    sweep(ageMs) {
      const untilMs = performance.now() - ageMs;
      const old = replaced.filter(({ atMs }) => atMs <= untilMs);
      const younger = replaced.slice(old.length);
      const kept = old.length === 0 ? new Set() : held();
      for (const { folder, contents } of old) {
        if (!kept.has(folder)) removeVersion(at(folder), contents);
      }
      replaced = [...old.filter(({ folder }) => kept.has(folder)), ...younger];
      return younger.length > 0;
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

/** Takes away what a crash may have left behind, but for the versions that stay. @returns what there is then */
function tidy(dir: string, stay: ReadonlySet<string>): { links: Set<string>; versions: string[] } {
  const links = new Set<string>();
  const versions: string[] = [];
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const { name } = entry;
    if (name === dataLink) continue;
    if (stay.has(name)) versions.push(name);
    else if (name.startsWith('..')) rmSync(path.join(dir, name), { recursive: true, force: true });
    else if (entry.isSymbolicLink()) links.add(name);
  }
  return { links, versions };
}
