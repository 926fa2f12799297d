import {
  boolean,
  int32,
  int64,
  list,
  object,
  oneOf,
  optional,
  required,
  string,
  time,
  type Infer,
} from '../../../../machinery/schema.ts';

const core = 'io.k8s.api.core.v1';

export const ContainerStateSchema = object(
  `${core}.ContainerState`,
  'What a container does: one of these.',
  {
    waiting: optional(
      1,
      object(`${core}.ContainerStateWaiting`, 'It does not run yet.', {
        reason: optional(1, string(), 'Why, in a word.'),
        message: optional(2, string(), 'Why, in a sentence.'),
      }),
      'It does not run yet.',
    ),
    running: optional(
      2,
      object(`${core}.ContainerStateRunning`, 'It runs.', {
        startedAt: optional(1, time(), 'Since when.'),
      }),
      'It runs.',
    ),
    terminated: optional(
      3,
      object(`${core}.ContainerStateTerminated`, 'It has ended.', {
        exitCode: required(1, int32(), 'Its exit code.'),
        signal: optional(2, int32(), 'The signal that ended it.'),
        reason: optional(3, string(), 'Why, in a word.'),
        message: optional(4, string(), 'Its last words.'),
        startedAt: optional(5, time(), 'When it started.'),
        finishedAt: optional(6, time(), 'When it ended.'),
        containerID: optional(7, string(), 'Its id in the runtime.'),
      }),
      'It has ended.',
    ),
  },
);
export type ContainerState = Infer<typeof ContainerStateSchema>;

const VolumeMountStatusSchema = object(`${core}.VolumeMountStatus`, 'How a volume is mounted.', {
  name: required(1, string(), 'Name of the volume.'),
  mountPath: required(2, string(), 'Path in the container.'),
  readOnly: optional(3, boolean(), 'Whether the container may not write there.'),
  recursiveReadOnly: optional(
    4,
    oneOf('Disabled', 'Enabled'),
    'Whether mounts below are read-only too.',
  ),
});
export type VolumeMountStatus = Infer<typeof VolumeMountStatusSchema>;

export const ContainerStatusSchema = object(`${core}.ContainerStatus`, 'How a container is.', {
  name: required(1, string(), 'Its name.'),
  state: optional(2, ContainerStateSchema, 'What it does.'),
  lastState: optional(3, ContainerStateSchema, 'How the one before it ended.'),
  ready: required(4, boolean(), 'Whether it can serve.'),
  restartCount: required(5, int32(), 'How often it was started again.'),
  image: required(6, string(), 'Its image.'),
  imageID: required(7, string(), 'The very image.'),
  containerID: optional(8, string(), 'Its id in the runtime.'),
  started: optional(9, boolean(), 'Whether it is past its start.'),
  volumeMounts: optional(12, list(VolumeMountStatusSchema), 'How its volumes are mounted.', {
    strategy: 'merge',
    mergeKey: 'mountPath',
    listType: 'map',
    listMapKeys: ['mountPath'],
  }),
});
export type ContainerStatus = Infer<typeof ContainerStatusSchema>;

const PodConditionSchema = object(`${core}.PodCondition`, 'One aspect of a pod.', {
  type: required(1, string(), 'Which aspect.'),
  status: required(2, string(), 'True, False or Unknown.'),
  lastProbeTime: optional(3, time(), 'When it was last looked at.'),
  lastTransitionTime: optional(4, time(), 'When the status last changed.'),
  reason: optional(5, string(), 'Why, in a word.'),
  message: optional(6, string(), 'Why, in a sentence.'),
  observedGeneration: optional(7, int64(), 'The generation that it is about.'),
});
export type PodCondition = Infer<typeof PodConditionSchema>;

const address = (name: string, of: string) =>
  object(`${core}.${name}`, `An address of ${of}.`, { ip: required(1, string(), 'The address.') });

export const PodStatusSchema = object(`${core}.PodStatus`, 'How a pod is.', {
  phase: optional(
    1,
    oneOf('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'),
    'Where in its life it is.',
  ),
  conditions: optional(2, list(PodConditionSchema), 'How it is, in parts.', {
    strategy: 'merge',
    mergeKey: 'type',
    listType: 'map',
    listMapKeys: ['type'],
  }),
  message: optional(3, string(), 'Why it is so, in a sentence.'),
  reason: optional(4, string(), 'Why it is so, in a word.'),
  hostIP: optional(5, string(), 'Address of its node.'),
  podIP: optional(6, string(), 'Its address.'),
  startTime: optional(7, time(), 'When the node took it up.'),
  containerStatuses: optional(8, list(ContainerStatusSchema), 'How its containers are.', {
    listType: 'atomic',
  }),
  qosClass: optional(
    9,
    oneOf('Guaranteed', 'Burstable', 'BestEffort'),
    'How it is treated when memory is short.',
  ),
  initContainerStatuses: optional(10, list(ContainerStatusSchema), 'How its init containers are.', {
    listType: 'atomic',
  }),
  nominatedNodeName: optional(11, string(), 'The node that room is made on.'),
  podIPs: optional(12, list(address('PodIP', 'the pod')), 'Its addresses.', {
    strategy: 'merge',
    mergeKey: 'ip',
    listType: 'map',
    listMapKeys: ['ip'],
  }),
  ephemeralContainerStatuses: optional(
    13,
    list(ContainerStatusSchema),
    'How its ephemeral containers are.',
    { listType: 'atomic' },
  ),
  resize: optional(14, string(), 'How a resize goes.'),
  hostIPs: optional(16, list(address('HostIP', 'the node')), 'Addresses of its node.', {
    strategy: 'merge',
    mergeKey: 'ip',
    listType: 'atomic',
  }),
  observedGeneration: optional(17, int64(), 'The generation that this is about.'),
});
export type PodStatus = Infer<typeof PodStatusSchema>;
