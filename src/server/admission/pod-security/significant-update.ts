import type { Pod } from '../../../api/core/v1/pod.ts';
import type { AnyContainer } from './containers.ts';

/** Whether a changed pod has to be checked anew: only what runs in it can change. */
export function isSignificantUpdate({ spec }: Pod, { spec: old }: Pod): boolean {
  const imagesChange = (
    next: readonly AnyContainer[] = [],
    before: readonly AnyContainer[] = [],
  ): boolean =>
    next.length !== before.length || next.some((each, i) => each.image !== before[i]?.image);
  return (
    imagesChange(spec.containers, old.containers) ||
    imagesChange(spec.initContainers, old.initContainers) ||
    imagesChange(spec.ephemeralContainers, old.ephemeralContainers)
  );
}
