import type { KubeObject } from '../../machinery/meta.ts';
import type {
  ResourceDescriptor,
  ServedVersion,
  StrategyContext,
  UpdateStrategy,
} from '../../machinery/resource.ts';

/** A descriptor for each version in which a resource is served, the stored one first. */
export const servedVersions = (descriptor: ResourceDescriptor): readonly ResourceDescriptor[] => [
  descriptor,
  ...(descriptor.otherVersions ?? []).map(version => inVersion(descriptor, version)),
];

/** The same resource as clients of another version see it: every rule is the stored version's. */
function inVersion(stored: ResourceDescriptor, served: ServedVersion): ResourceDescriptor {
  const { version, schema } = served;
  const converted = <A extends unknown[], R>(
    rule: ((object: KubeObject, ...more: A) => R) | undefined,
  ) => rule && ((object: KubeObject, ...more: A): R => rule(served.toStored(object), ...more));
  const inPlace = <A extends unknown[]>(
    change: ((object: KubeObject, ...more: A) => void) | undefined,
  ) =>
    change &&
    ((object: KubeObject, ...more: A): void => {
      const changed = served.toStored(object);
      change(changed, ...more);
      replaceMembers(object, served.fromStored(changed));
    });
  const strategy = (
    update: UpdateStrategy<KubeObject> | undefined,
  ): UpdateStrategy<KubeObject> | undefined =>
    update && {
      prepareForUpdate(next, old, context: StrategyContext) {
        const changed = served.toStored(next);
        update.prepareForUpdate(changed, served.toStored(old), context);
        replaceMembers(next, served.fromStored(changed));
      },
      validateUpdate: (next, old) =>
        update.validateUpdate(served.toStored(next), served.toStored(old)),
    };
  const { warnings } = stored;
  return {
    ...stored,
    version,
    schema,
    storedAs: {
      group: stored.group,
      plural: stored.plural,
      toStored: object => served.toStored(object),
      fromStored: object => served.fromStored(object),
    },
    subresources: Object.fromEntries(
      Object.entries(stored.subresources ?? {}).map(([name, subresource]) => [
        name,
        { ...subresource, ...defined({ update: strategy(subresource.update) }) },
      ]),
    ),
    columns:
      served.columns ??
      stored.columns.map(column => ({
        ...column,
        cell: (object, now) => column.cell(served.toStored(object), now),
      })),
    ...defined({
      applyDefaults: inPlace(stored.applyDefaults),
      prepareForCreate: inPlace(stored.prepareForCreate),
      beginDeletion: inPlace(stored.beginDeletion),
      validate: converted(stored.validate),
      validateCreate: converted(stored.validateCreate),
      update: strategy(stored.update),
      warnings:
        warnings &&
        ((object: KubeObject, old?: KubeObject) =>
          warnings(served.toStored(object), old && served.toStored(old))),
      selectableFields: converted(stored.selectableFields),
      gracePeriodSeconds: converted(stored.gracePeriodSeconds),
      isFinalized: converted(stored.isFinalized),
    }),
  };
}

function replaceMembers(object: KubeObject, members: KubeObject): void {
  for (const name of Object.keys(object)) {
    if (!Object.hasOwn(members, name)) Reflect.deleteProperty(object, name);
  }
  Object.assign(object, members);
}

/** Without the members that are undefined. */
const defined = <T extends object>(members: T) =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
