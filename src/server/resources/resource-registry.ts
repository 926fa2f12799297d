import type { Logger } from '../../machinery/log.ts';
import { groupResourceOf, type ResourceDescriptor } from '../../machinery/resource.ts';
import type { ResourceEntry, ResourceHandlers } from '../operation/operation.ts';
import type { ObjectStores } from '../registry/object-stores.ts';
import { startTtl } from '../registry/ttl.ts';
import { servedVersions } from './served-versions.ts';

/** A resource to serve. */
export interface ResourceDefinition {
  readonly descriptor: ResourceDescriptor;
  readonly handlers?: ResourceHandlers;
}

/** Which resources are served. */
export interface ServedResources {
  /** Every resource in every version, in the order in which they were added. */
  entries(): readonly ResourceEntry[];
  /** The descriptor of each resource, in its stored version. */
  descriptors(): readonly ResourceDescriptor[];
  find(group: string, version: string, plural: string): ResourceEntry | undefined;
  onChange(listener: (change: ResourcesChange) => void): void;
}

export interface ResourcesChange {
  /** The groups whose resources are others now. */
  readonly groups: ReadonlySet<string>;
}

/**
 * Everything that the server serves, by group and resource. It changes while the server runs;
 * requests, discovery, OpenAPI and the controllers follow it.
 */
export interface ResourceRegistry extends ServedResources {
  /** @throws Error when the resource is served already */
  add(...definitions: readonly ResourceDefinition[]): void;
  /** Serves a resource by another definition. Its open watches end, so that clients list anew. */
  replace(definition: ResourceDefinition): void;
  /** Stops serving a resource. Its objects stay in the store. */
  remove(resource: Pick<ResourceDescriptor, 'group' | 'plural'>): void;
  close(): void;
}

interface Registered {
  readonly entries: readonly ResourceEntry[];
  close(): void;
}

export function createResourceRegistry(stores: ObjectStores, log: Logger): ResourceRegistry {
  const resources = new Map<string, Registered>();
  const listeners: ((change: ResourcesChange) => void)[] = [];
  let byPath: ReadonlyMap<string, ResourceEntry> = new Map();
  let all: readonly ResourceEntry[] = [];

  const open = ({ descriptor, handlers = {} }: ResourceDefinition): Registered => {
    const versions = servedVersions(descriptor);
    const entries = versions.map((each): ResourceEntry => ({
      descriptor: each,
      objects: each.stored ? stores.of(each) : undefined,
      handlers,
    }));
    const { ttlSeconds, storedAs } = descriptor;
    const [{ objects } = {}] = entries;
    const ttl =
      objects !== undefined && ttlSeconds !== undefined && storedAs === undefined
        ? startTtl(objects, ttlSeconds, log)
        : undefined;
    return {
      entries,
      close() {
        ttl?.close();
        for (const each of versions) stores.closeOne(each);
      },
    };
  };
  const changed = (descriptors: readonly Pick<ResourceDescriptor, 'group'>[]): void => {
    all = [...resources.values()].flatMap(({ entries }) => entries);
    byPath = new Map(
      all.map(entry => {
        const { group, version, plural } = entry.descriptor;
        return [`${group}/${version}/${plural}`, entry];
      }),
    );
    const groups = new Set(descriptors.map(({ group }) => group));
    for (const listener of listeners) listener({ groups });
  };

  return {
    entries: () => all,
    descriptors: () =>
      [...resources.values()].flatMap(({ entries: [entry] }) =>
        entry === undefined ? [] : [entry.descriptor],
      ),
    find: (group, version, plural) => byPath.get(`${group}/${version}/${plural}`),
    onChange: listener => void listeners.push(listener),
    add(...definitions) {
      for (const definition of definitions) {
        const key = groupResourceOf(definition.descriptor);
        if (resources.has(key)) throw new Error(`${key} is served already`);
        resources.set(key, open(definition));
      }
      changed(definitions.map(({ descriptor }) => descriptor));
    },
    replace(definition) {
      const key = groupResourceOf(definition.descriptor);
      resources.get(key)?.close();
      // The place in the order stays.
      resources.set(key, open(definition));
      changed([definition.descriptor]);
    },
    remove(resource) {
      const key = groupResourceOf(resource);
      resources.get(key)?.close();
      if (resources.delete(key)) changed([resource]);
    },
    close() {
      for (const resource of resources.values()) resource.close();
      resources.clear();
    },
  };
}
