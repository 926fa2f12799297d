/** `"a", "b"` */
export const quoted = (items: readonly string[]): string =>
  items.map(each => `"${each}"`).join(', ');

export const plural = (count: number, one: string, many: string): string =>
  count === 1 ? one : many;

/** `container "a"`, `containers "a", "b"` */
export const containersNamed = (names: readonly string[]): string =>
  `${plural(names.length, 'container', 'containers')} ${quoted(names)}`;

/** `pod and container "a"`: the parts of a pod that set a forbidden value. */
export const setters = (pod: boolean, containers: readonly string[]): string =>
  [...(pod ? ['pod'] : []), ...(containers.length === 0 ? [] : [containersNamed(containers)])].join(
    ' and ',
  );

/** Sorted, without duplicates. */
export const distinct = (items: readonly string[]): string[] => [...new Set(items)].toSorted();
