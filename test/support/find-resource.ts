import { resources } from '../../src/api/index.ts';
import type { ResourceEntry } from '../../src/server/operation/operation.ts';
import type { ObjectStore } from '../../src/server/registry/object-store.ts';

/** The built-in resources, without their objects: enough to resolve requests. */
export const findResource = (
  group: string,
  version: string,
  plural: string,
): ResourceEntry | undefined => {
  const descriptor = resources.find(
    each => each.group === group && each.version === version && each.plural === plural,
  );
  return descriptor && { descriptor, objects: {} as ObjectStore, handlers: {} };
};
