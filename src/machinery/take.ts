/** The first elements; what follows them is never made. */
export function take<T>(count: number, elements: Iterable<T>): T[] {
  const taken: T[] = [];
  for (const each of elements) {
    taken.push(each);
    if (taken.length === count) break;
  }
  return taken;
}
