import type { Container, Pod } from '../../../api/core/v1/pod.ts';

type Ephemeral = NonNullable<Pod['spec']['ephemeralContainers']>[number];
export type AnyContainer = Container | Ephemeral;

/** All containers of a pod, in the order in which Kubernetes visits them. */
export const containersOf = (spec: Partial<Pod['spec']>): AnyContainer[] => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
  ...(spec.ephemeralContainers ?? []),
];

/** The names of the containers that match. */
export const namesWhere = (
  spec: Partial<Pod['spec']>,
  holds: (container: AnyContainer) => boolean,
): string[] =>
  containersOf(spec)
    .filter(holds)
    .map(({ name }) => name);

/** Linux-only rules do not apply to Windows pods. */
export const isWindows = ({ os }: Partial<Pod['spec']>): boolean => os?.name === 'windows';

/** Whether the pod has its own user namespace, where root has no rights on the node. */
export const hasUserNamespace = ({ hostUsers }: Partial<Pod['spec']>): boolean =>
  hostUsers === false;
