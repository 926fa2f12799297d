import type { ResourceDescriptor } from '../../../machinery/resource.ts';
import { allVerbs } from './columns.ts';
import { applyAppArmorAnnotations } from './pod/app-armor-annotations.ts';
import { podColumns } from './pod/pod-columns.ts';
import { applyPodDefaults, qosClassOf } from './pod/pod-defaults.ts';
import { PodSchema, type Pod } from './pod/pod-schema.ts';
import { podWarnings } from './pod/pod-warnings.ts';
import { mirrorAnnotation, validateAnnotationUpdate } from './pod/validate-annotations.ts';
import { validateNewPod } from './pod/validate-new-pod.ts';
import { validatePod, validatePodUpdate } from './pod/validate-pod.ts';

export type { Container, Probe } from './pod/container-schema.ts';
export type { EnvVar } from './pod/env-schema.ts';
export type { Pod, PodSpec } from './pod/pod-schema.ts';
export type {
  ContainerState,
  ContainerStatus,
  PodCondition,
  PodStatus,
  VolumeMountStatus,
} from './pod/status-schema.ts';
export type { Volume, VolumeMount } from './pod/volume-schema.ts';

/** A pod that an agent made of a file of its own, to show it here: nobody gave it any rights. */
export const isMirrorPod = ({ metadata }: Pick<Pod, 'metadata'>): boolean =>
  Object.hasOwn(metadata.annotations ?? {}, mirrorAnnotation);
export { mirrorAnnotation };

const finished = (pod: Pod): boolean =>
  pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

export const podResource: ResourceDescriptor<Pod> = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  singular: 'pod',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  stored: true,
  verbs: allVerbs,
  schema: PodSchema,
  tracksGeneration: true,
  subresources: {
    attach: { kind: 'PodAttachOptions', verbs: ['create', 'get'], connects: true },
    binding: { kind: 'Binding', verbs: ['create'] },
    eviction: { kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] },
    exec: { kind: 'PodExecOptions', verbs: ['create', 'get'], connects: true },
    log: { kind: 'Pod', verbs: ['get'] },
    portforward: { kind: 'PodPortForwardOptions', verbs: ['create', 'get'], connects: true },
    status: {
      kind: 'Pod',
      verbs: ['get', 'patch', 'update'],
      update: {
        prepareForUpdate(next, old) {
          next.spec = old.spec;
          // An owner that does not exist would have the pod deleted.
          const { ownerReferences } = old.metadata;
          if (ownerReferences === undefined) delete next.metadata.ownerReferences;
          else next.metadata.ownerReferences = ownerReferences;
        },
        validateUpdate: validateAnnotationUpdate,
      },
    },
  },
  applyDefaults: applyPodDefaults,
  prepareForCreate(pod) {
    if (pod.spec !== undefined) applyAppArmorAnnotations(pod);
    pod.status = {
      phase: 'Pending',
      ...(pod.spec?.containers === undefined ? {} : { qosClass: qosClassOf(pod.spec) }),
    };
  },
  validate: validatePod,
  validateCreate: validateNewPod,
  update: {
    prepareForUpdate(next, old) {
      next.status = old.status;
    },
    validateUpdate: (next, old) => [
      ...validateAnnotationUpdate(next, old),
      ...validatePodUpdate(next, old),
    ],
  },
  warnings: podWarnings,
  selectableFields: ({ spec, status }) => ({
    'spec.nodeName': spec.nodeName ?? '',
    'spec.restartPolicy': spec.restartPolicy ?? '',
    'spec.schedulerName': spec.schedulerName ?? '',
    'spec.serviceAccountName': spec.serviceAccountName ?? '',
    'spec.hostNetwork': String(spec.hostNetwork ?? false),
    'status.phase': status?.phase ?? '',
    'status.podIP': status?.podIP ?? '',
    'status.nominatedNodeName': status?.nominatedNodeName ?? '',
  }),
  // registry/core/pod strategy CheckGracefulDelete: what never ran, or is through, goes at once.
  gracePeriodSeconds(pod, asked) {
    const wanted = asked ?? pod.spec.terminationGracePeriodSeconds ?? 30;
    if (!pod.spec.nodeName || finished(pod)) return 0;
    return wanted < 0 ? 1 : wanted;
  },
  columns: podColumns,
};
