import type { Container, Pod } from '../../api/core/v1/pod.ts';

/** An init container that runs for as long as the pod (KEP-753: a restartable init container). */
export const isSidecar = ({ spec }: Pod, container: Container | undefined): boolean =>
  container?.restartPolicy === 'Always' &&
  (spec.initContainers ?? []).some(({ name }) => name === container.name);

export const isSidecarName = (pod: Pod, name: string): boolean =>
  isSidecar(
    pod,
    pod.spec.initContainers?.find(each => each.name === name),
  );
