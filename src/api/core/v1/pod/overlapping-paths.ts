export interface PlacedPath {
  readonly path: string;
}

interface Sortable<T> {
  /** Sorts a directory right before all that is in it, and begins the keys of those. */
  readonly key: string;
  /** Its number in the list. */
  readonly i: number;
  readonly place: T;
}

/** Linux's PATH_MAX: no file can be made at a longer one. */
const maxPathChars = 4096;

/**
 * Paths that are the same or lie in one another, as pairs of the later and the earlier in the list.
 * Slashes at the end do not count; empty paths meet nothing, nor do those that are too long for a file.
 * @param max pairs that are looked for: very many equal paths would be very many pairs
 */
export function overlaps<T extends PlacedPath>(places: readonly T[], max: number): [T, T][] {
  const sorted = places
    .flatMap((place, i) => (place.path.length > maxPathChars ? [] : [sortable(place, i)]))
    .filter(({ place }) => place.path !== '')
    .toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.i - b.i));
  const pairs: [later: Sortable<T>, earlier: Sortable<T>][] = [];
  /** The present path's directories and equals. */
  const holders: Sortable<T>[] = [];
  for (const each of sorted) {
    while (!each.key.startsWith(holders.at(-1)?.key ?? '')) holders.pop();
    for (const holder of holders) {
      if (pairs.length === max) break;
      pairs.push(holder.i < each.i ? [each, holder] : [holder, each]);
    }
    holders.push(each);
  }
  return pairs
    .toSorted(([a, x], [b, y]) => a.i - b.i || x.i - y.i)
    .map(([later, earlier]) => [later.place, earlier.place]);
}

function sortable<T extends PlacedPath>(written: T, i: number): Sortable<T> {
  const path = withoutSlashesAtEnd(written.path);
  const place = path === written.path ? written : { ...written, path };
  return { key: `${path.replaceAll('/', '\0')}\0`, i, place };
}

function withoutSlashesAtEnd(path: string): string {
  let end = path.length;
  while (path[end - 1] === '/') end -= 1;
  return path.slice(0, end);
}
