import type { Pod, PodSpec } from './pod-schema.ts';
import type { Volume } from './volume-schema.ts';

export type ReferencedKind = 'Secret' | 'ConfigMap';

export interface ObjectReference {
  readonly kind: ReferencedKind;
  readonly namespace: string;
  readonly name: string;
  /** Identity, for maps. */
  readonly key: string;
}

export const objectReference = (
  kind: ReferencedKind,
  namespace: string,
  name: string,
): ObjectReference => ({ kind, namespace, name, key: `${kind}/${namespace}/${name}` });

/** Every Secret and ConfigMap that a pod names: volumes, variables, pull secrets. Each once. */
export function objectsOf({ metadata, spec }: Pod): ObjectReference[] {
  const found = new Map<string, ObjectReference>();
  const add = (kind: ReferencedKind) => (name: string | undefined) => {
    if (name === undefined || name === '') return;
    const reference = objectReference(kind, metadata.namespace ?? '', name);
    found.set(reference.key, reference);
  };
  const secret = add('Secret');
  const configMap = add('ConfigMap');
  for (const { name } of spec.imagePullSecrets ?? []) secret(name);
  for (const volume of spec.volumes ?? []) {
    secretsOfVolume(volume).forEach(secret);
    configMapsOfVolume(volume).forEach(configMap);
  }
  for (const { envFrom = [], env = [] } of containersOf(spec)) {
    for (const { secretRef, configMapRef } of envFrom) {
      secret(secretRef?.name);
      configMap(configMapRef?.name);
    }
    for (const { valueFrom } of env) {
      secret(valueFrom?.secretKeyRef?.name);
      configMap(valueFrom?.configMapKeyRef?.name);
    }
  }
  return [...found.values()];
}

/** Names of the Secrets whose content is in the volume. */
export const secretsOfVolume = ({ secret, projected }: Volume): string[] =>
  named([secret?.secretName, ...(projected?.sources ?? []).map(each => each.secret?.name)]);

/** Names of the ConfigMaps whose content is in the volume. */
export const configMapsOfVolume = ({ configMap, projected }: Volume): string[] =>
  named([configMap?.name, ...(projected?.sources ?? []).map(each => each.configMap?.name)]);

const named = (names: (string | undefined)[]): string[] =>
  names.filter(name => name !== undefined && name !== '').map(String);

/** Init containers, containers and ephemeral ones. */
export const containersOf = (spec: PodSpec) => [
  ...(spec.initContainers ?? []),
  ...spec.containers,
  ...(spec.ephemeralContainers ?? []),
];
