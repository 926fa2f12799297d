import type { Pod } from '../../../api/core/v1/pod.ts';
import type { AnyContainer } from './containers.ts';

/** Whether an update must be evaluated: images are the only security-relevant fields that can change. */
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
