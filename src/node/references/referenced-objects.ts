import { configMapResource, type ConfigMap } from '../../api/core/v1/configmap.ts';
import { secretResource, type Secret } from '../../api/core/v1/secret.ts';
import type { KubeClient, ResourceClient } from '../../client/client.ts';
import { isStatusError } from '../../machinery/status.ts';
import { NotFoundReference } from './not-found-reference.ts';
import type { ObjectReference } from '../../api/core/v1/pod/pod-references.ts';

export type ReferencedObject = Secret | ConfigMap;

/** One strategy of reading the objects that pods use. */
export interface ReferencedObjects {
  /** A pod that uses the object was added or changed. Comes again for each such pod. */
  open(reference: ObjectReference): void;
  /** No pod uses the object any more. */
  close(reference: ObjectReference): void;
  /** @throws NotFoundReference, or what kept the object from being read */
  get(reference: ObjectReference): Promise<ReferencedObject>;
  onChange(listener: (reference: ObjectReference) => void): void;
}

export const clientFor = (
  client: KubeClient,
  { kind }: ObjectReference,
): ResourceClient<ReferencedObject> =>
  client.resource<ReferencedObject>(kind === 'Secret' ? secretResource : configMapResource);

/** @throws NotFoundReference, or what kept the object from being read */
export async function readLive(
  client: KubeClient,
  reference: ObjectReference,
): Promise<ReferencedObject> {
  const { kind, namespace, name } = reference;
  try {
    return await clientFor(client, reference).get(namespace, name);
  } catch (error) {
    throw isStatusError(error, 'NotFound') ? new NotFoundReference(kind, name) : error;
  }
}

/** What the kubelet says of an object that no pod of the node uses. */
export const notRegistered = ({ namespace, name }: ObjectReference): Error =>
  new Error(`object "${namespace}"/"${name}" not registered`);
