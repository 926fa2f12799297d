import type { Pod } from '../api/core/v1/pod.ts';

/** Where events about a container point. */
export const fieldPathOf = (pod: Pod, container: string): string =>
  (pod.spec.initContainers ?? []).some(each => each.name === container)
    ? `spec.initContainers{${container}}`
    : `spec.containers{${container}}`;
