import type { Container, Pod } from '../../../api/core/v1/pod.ts';

type Ephemeral = NonNullable<Pod['spec']['ephemeralContainers']>[number];
export type AnyContainer = Container | Ephemeral;

/** All that a pod runs: init containers first, as Kubernetes visits them. */
export const containersOf = (spec: Partial<Pod['spec']>): AnyContainer[] => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
  ...(spec.ephemeralContainers ?? []),
];

/** The names of the containers for which something holds. */
export const namesWhere = (
  spec: Partial<Pod['spec']>,
  holds: (container: AnyContainer) => boolean,
): string[] =>
  containersOf(spec)
    .filter(holds)
    .map(({ name }) => name);

/** Linux rules do not hold for pods that say they are Windows'. */
export const isWindows = ({ os }: Partial<Pod['spec']>): boolean => os?.name === 'windows';

/** Whether the pod has a user namespace of its own, where its root is nobody's on the node. */
export const hasUserNamespace = ({ hostUsers }: Partial<Pod['spec']>): boolean =>
  hostUsers === false;
