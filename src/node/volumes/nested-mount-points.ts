import path from 'node:path';
import type { Pod } from '../../api/core/v1/pod.ts';
import { makeFolders } from '../file-modes.ts';
import { containersOf } from '../../api/core/v1/pod/pod-references.ts';

/**
 * Makes the folders in a volume that other mounts of its containers lie on: the volume is read-only there, so that
 * the runtime could not. Idempotent.
 */
export async function makeNestedMountPoints(dir: string, name: string, pod: Pod): Promise<void> {
  for (const nested of nestedMountPoints(name, pod)) {
    try {
      await makeFolders(path.join(dir, nested), 0o755);
    } catch (error) {
      const { message } = error as Error;
      throw new Error(`unable to create nested volume mountpoints: ${message}`, { cause: error });
    }
  }
}

/** Relative to the volume. Those that lie below another nested mount are that one's business. */
export function nestedMountPoints(name: string, { spec }: Pod): string[] {
  const found = containersOf(spec).flatMap(({ volumeMounts = [] }) => {
    const places = volumeMounts.map(mount => ({
      own: mount.name === name,
      at: path.posix.resolve('/', mount.mountPath),
    }));
    const all = places.map(({ at }) => at);
    return places.filter(({ own }) => own).flatMap(({ at }) => directlyBelow(at, all));
  });
  return [...new Set(found)];
}

function directlyBelow(parent: string, all: readonly string[]): string[] {
  const below = all.filter(each => each !== parent && isBelow(parent, each));
  return below
    .filter(each => !below.some(other => other !== each && isBelow(other, each)))
    .map(each => path.posix.relative(parent, each));
}

const isBelow = (parent: string, child: string): boolean =>
  child.startsWith(parent === '/' ? parent : `${parent}/`);
