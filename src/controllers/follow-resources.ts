import type { ResourceDescriptor } from '../machinery/resource.ts';
import type { KnownResources } from './controller.ts';

export interface ResourceFollower {
  added?(resource: ResourceDescriptor): void;
  removed?(resource: ResourceDescriptor): void;
}

/** Tells of each resource that is served now and later, and of each that is not served any more. */
export function followResources(
  resources: KnownResources,
  { added, removed }: ResourceFollower,
): void {
  const served = new Set<ResourceDescriptor>();
  const compare = (): void => {
    const present = new Set(resources.descriptors());
    for (const each of served) {
      if (present.has(each)) continue;
      served.delete(each);
      removed?.(each);
    }
    for (const each of present) {
      if (served.has(each)) continue;
      served.add(each);
      added?.(each);
    }
  };
  resources.onChange(compare);
  compare();
}
