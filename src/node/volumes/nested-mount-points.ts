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
    const root = createPlace();
    const paths = new Set<string>();
    for (const mount of volumeMounts) {
      const at = path.posix.resolve('/', mount.mountPath);
      paths.add(at);
      const place = placeAt(root, at);
      place.isMount = true;
      place.isOwn ||= mount.name === name;
    }
    return [...paths].flatMap(at => relativeToOwn(root, at));
  });
  return [...new Set(found)];
}

/** A path, found by its segments: as many steps as it has, however many others there are. */
interface Place {
  readonly below: Map<string, Place>;
  isMount: boolean;
  /** The volume itself is mounted there. */
  isOwn: boolean;
}

const createPlace = (): Place => ({ below: new Map(), isMount: false, isOwn: false });

const segmentsOf = (at: string): string[] => at.split('/').filter(segment => segment !== '');

function placeAt(root: Place, at: string): Place {
  let place = root;
  for (const segment of segmentsOf(at)) {
    const next = place.below.get(segment) ?? createPlace();
    place.below.set(segment, next);
    place = next;
  }
  return place;
}

/** Where a mount lies in the volume, if that is the mount that it lies on. */
function relativeToOwn(root: Place, at: string): string[] {
  const segments = segmentsOf(at);
  let place = root;
  let parent = root.isMount ? root : undefined;
  let from = 0;
  for (const [i, segment] of segments.slice(0, -1).entries()) {
    const next = place.below.get(segment);
    if (next === undefined) break;
    place = next;
    if (!place.isMount) continue;
    parent = place;
    from = i + 1;
  }
  return parent?.isOwn === true && segments.length > 0 ? [segments.slice(from).join('/')] : [];
}
