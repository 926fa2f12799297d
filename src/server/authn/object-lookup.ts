import { nodeResource } from '../../api/core/v1/node.ts';
import { podResource } from '../../api/core/v1/pod.ts';
import { secretResource } from '../../api/core/v1/secret.ts';
import { serviceAccountResource } from '../../api/core/v1/service-account.ts';
import type { KubeObject } from '../../machinery/meta.ts';
import type { ResourceDescriptor } from '../../machinery/resource.ts';
import { absent } from '../../machinery/status.ts';
import type { ObjectStores } from '../registry/object-stores.ts';

/** An object if it exists: asked for the account of a token and for what it is bound to. */
export type ObjectLookup = (
  kind: string,
  namespace: string,
  name: string,
) => Promise<KubeObject | undefined>;

/** Kinds that a token can belong or be bound to. */
const kinds: readonly ResourceDescriptor[] = [
  nodeResource,
  podResource,
  secretResource,
  serviceAccountResource,
];

export function createObjectLookup(stores: Pick<ObjectStores, 'of'>): ObjectLookup {
  const byKind = new Map(kinds.map(each => [each.kind, each]));
  return async (kind, namespace, name) => {
    const descriptor = byKind.get(kind);
    if (descriptor === undefined) return undefined;
    const found = stores.of(descriptor).get(descriptor.namespaced ? namespace : '', name);
    return (await found.catch(absent))?.object();
  };
}
