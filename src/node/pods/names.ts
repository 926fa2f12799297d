import path from 'node:path';
import type { Pod } from '../../api/core/v1/pod.ts';

/** The kubelet's labels and annotations on sandboxes and containers: an agent recognizes its own by them. */
export const labels = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  containerName: 'io.kubernetes.container.name',
} as const;

export const annotations = {
  hash: 'io.kubernetes.container.hash',
  restartCount: 'io.kubernetes.container.restartCount',
  terminationMessagePath: 'io.kubernetes.container.terminationMessagePath',
  terminationMessagePolicy: 'io.kubernetes.container.terminationMessagePolicy',
  podTerminationGracePeriod: 'io.kubernetes.pod.terminationGracePeriod',
} as const;

/** `name_namespace(uid)`, as the kubelet names a pod in messages. */
export const podText = ({ metadata }: Pod): string =>
  `${metadata.name ?? ''}_${metadata.namespace ?? ''}(${metadata.uid ?? ''})`;

export const uidOf = ({ metadata }: Pod): string => metadata.uid ?? '';

/** The folder of the logs of all pods on a machine. */
export const logRoot = '/var/log/pods';

export const logDirectoryOf = ({ metadata }: Pod): string =>
  `${logRoot}/${metadata.namespace ?? ''}_${metadata.name ?? ''}_${metadata.uid ?? ''}`;

/** The folder of a pod's volumes and termination messages. */
export const podFolder = (dataDir: string, podUid: string): string =>
  path.join(dataDir, 'pods', podUid);
