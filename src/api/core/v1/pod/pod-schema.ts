import { kindSchema } from '../../../../machinery/meta.ts';
import {
  boolean,
  int32,
  int64,
  list,
  map,
  object,
  oneOf,
  optional,
  quantity,
  raw,
  required,
  string,
  type Infer,
} from '../../../../machinery/schema.ts';
import { LocalObjectReferenceSchema } from '../references.ts';
import {
  ContainerSchema,
  containerList,
  EphemeralContainerSchema,
  SecurityContextSchema,
} from './container-schema.ts';
import { PodStatusSchema } from './status-schema.ts';
import { VolumeSchema } from './volume-schema.ts';

const core = 'io.k8s.api.core.v1';

const TolerationSchema = object(`${core}.Toleration`, 'A taint that the pod bears.', {
  key: optional(1, string(), 'Key of the taint; any if empty.'),
  operator: optional(2, oneOf('Equal', 'Exists'), 'How the value is compared.'),
  value: optional(3, string(), 'Value of the taint.'),
  effect: optional(
    4,
    oneOf('NoSchedule', 'PreferNoSchedule', 'NoExecute'),
    'Effect of the taint; any if empty.',
  ),
  tolerationSeconds: optional(5, int64(), 'How long a NoExecute is borne.'),
});
export type Toleration = Infer<typeof TolerationSchema>;

const {
  capabilities: _capabilities,
  privileged: _privileged,
  readOnlyRootFilesystem: _readOnly,
  allowPrivilegeEscalation: _escalation,
  procMount: _procMount,
  ...sharedSecurity
} = SecurityContextSchema.fields;

export const PodSecurityContextSchema = object(
  `${core}.PodSecurityContext`,
  'What the containers of a pod may.',
  {
    seLinuxOptions: { ...sharedSecurity.seLinuxOptions, number: 1 },
    runAsUser: { ...sharedSecurity.runAsUser, number: 2 },
    runAsNonRoot: { ...sharedSecurity.runAsNonRoot, number: 3 },
    supplementalGroups: optional(4, list(int64()), 'Further groups of the processes.', {
      listType: 'atomic',
    }),
    fsGroup: optional(5, int64(), 'Group that owns the files of volumes.'),
    runAsGroup: { ...sharedSecurity.runAsGroup, number: 6 },
    sysctls: optional(
      7,
      list(
        object(`${core}.Sysctl`, 'A kernel setting.', {
          name: required(1, string(), 'Its name.'),
          value: required(2, string(), 'Its value.'),
        }),
      ),
      'Kernel settings of the pod.',
      { listType: 'atomic' },
    ),
    fsGroupChangePolicy: optional(
      9,
      oneOf('OnRootMismatch', 'Always'),
      'When files change their group.',
    ),
    windowsOptions: { ...sharedSecurity.windowsOptions, number: 8 },
    seccompProfile: { ...sharedSecurity.seccompProfile, number: 10 },
    appArmorProfile: { ...sharedSecurity.appArmorProfile, number: 11 },
  },
);

export const PodSpecSchema = object(`${core}.PodSpec`, 'What is wanted of a pod.', {
  volumes: optional(1, list(VolumeSchema), 'Volumes that its containers can mount.', {
    strategy: 'merge,retainKeys',
    mergeKey: 'name',
    listType: 'map',
    listMapKeys: ['name'],
  }),
  initContainers: containerList(
    20,
    'Run to their end, one after the other, before the containers.',
  ),
  containers: required(2, list(ContainerSchema), 'The programs of the pod.', {
    strategy: 'merge',
    mergeKey: 'name',
    listType: 'map',
    listMapKeys: ['name'],
  }),
  ephemeralContainers: optional(
    34,
    list(EphemeralContainerSchema),
    'Put into the running pod to look around.',
    { strategy: 'merge', mergeKey: 'name', listType: 'map', listMapKeys: ['name'] },
  ),
  restartPolicy: optional(
    3,
    oneOf('Always', 'Never', 'OnFailure'),
    'When containers that ended start again.',
    { default: 'Always' },
  ),
  terminationGracePeriodSeconds: optional(4, int64(), 'How long it may take to end.', {
    default: 30,
  }),
  activeDeadlineSeconds: optional(5, int64(), 'How long it may be active at all.'),
  dnsPolicy: optional(
    6,
    oneOf('ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'),
    'Where names are looked up.',
  ),
  nodeSelector: optional(7, map(string()), 'Labels that the node must have.', {
    mapType: 'atomic',
  }),
  serviceAccountName: optional(8, string(), 'The service account that it runs as.'),
  serviceAccount: optional(9, string(), 'Deprecated: serviceAccountName.'),
  automountServiceAccountToken: optional(21, boolean(), "Whether it gets its account's token."),
  nodeName: optional(10, string(), 'The node that it is on.'),
  hostNetwork: optional(11, boolean(), "Whether it uses the node's network."),
  hostPID: optional(12, boolean(), "Whether it sees the node's processes."),
  hostIPC: optional(13, boolean(), "Whether it uses the node's IPC."),
  shareProcessNamespace: optional(27, boolean(), 'Whether its containers see each other.'),
  securityContext: optional(14, PodSecurityContextSchema, 'What its containers may.'),
  imagePullSecrets: optional(
    15,
    list(LocalObjectReferenceSchema),
    'Secrets to pull its images with.',
    { strategy: 'merge', mergeKey: 'name', listType: 'map', listMapKeys: ['name'] },
  ),
  hostname: optional(16, string(), 'Its host name; its name by default.'),
  subdomain: optional(17, string(), 'Its DNS subdomain.'),
  affinity: optional(0, raw(), 'Which nodes and neighbours it likes.'),
  schedulerName: optional(19, string(), 'Who finds a node for it.'),
  tolerations: optional(22, list(TolerationSchema), 'Taints that it bears.', {
    listType: 'atomic',
  }),
  hostAliases: optional(
    23,
    list(
      object(`${core}.HostAlias`, 'A line of /etc/hosts.', {
        ip: required(1, string(), 'The address.'),
        hostnames: optional(2, list(string()), 'Its names.', { listType: 'atomic' }),
      }),
    ),
    'Further lines of /etc/hosts.',
    { strategy: 'merge', mergeKey: 'ip', listType: 'map', listMapKeys: ['ip'] },
  ),
  priorityClassName: optional(24, string(), 'Its priority class.'),
  priority: optional(25, int32(), 'Its priority.'),
  dnsConfig: optional(
    26,
    object(`${core}.PodDNSConfig`, 'How names are looked up.', {
      nameservers: optional(1, list(string()), 'Servers to ask.', { listType: 'atomic' }),
      searches: optional(2, list(string()), 'Domains to search.', { listType: 'atomic' }),
      options: optional(
        3,
        list(
          object(`${core}.PodDNSConfigOption`, 'An option of the resolver.', {
            name: optional(1, string(), 'Its name.'),
            value: optional(2, string(), 'Its value.'),
          }),
        ),
        'Options of the resolver.',
        { listType: 'atomic' },
      ),
    }),
    'How names are looked up.',
  ),
  readinessGates: optional(
    28,
    list(
      object(`${core}.PodReadinessGate`, 'A condition that readiness waits for.', {
        conditionType: required(1, string(), 'Type of the condition.'),
      }),
    ),
    'Conditions that readiness waits for.',
    { listType: 'atomic' },
  ),
  runtimeClassName: optional(29, string(), 'Its runtime class.'),
  enableServiceLinks: optional(30, boolean(), 'Whether services become variables.'),
  preemptionPolicy: optional(31, string(), 'Whether it may push others aside.'),
  overhead: optional(32, map(quantity()), 'What its runtime class needs.'),
  topologySpreadConstraints: optional(0, raw(), 'How it spreads over the cluster.'),
  setHostnameAsFQDN: optional(35, boolean(), 'Whether its host name is its full name.'),
  os: optional(
    36,
    object(`${core}.PodOS`, 'The operating system.', {
      name: required(1, string(), 'linux or windows.'),
    }),
    'The operating system.',
  ),
  hostUsers: optional(37, boolean(), "Whether it uses the node's user namespace."),
  schedulingGates: optional(
    38,
    list(
      object(`${core}.PodSchedulingGate`, 'What scheduling waits for.', {
        name: required(1, string(), 'Its name.'),
      }),
    ),
    'What scheduling waits for.',
    { strategy: 'merge', mergeKey: 'name', listType: 'map', listMapKeys: ['name'] },
  ),
});
export type PodSpec = Infer<typeof PodSpecSchema>;

export const PodSchema = kindSchema(
  `${core}.Pod`,
  'Pod is a set of containers that share a life, a network and volumes.',
  {
    spec: required(2, PodSpecSchema, 'What is wanted of it.'),
    status: optional(3, PodStatusSchema, 'How it is.'),
  },
);
export type Pod = Infer<typeof PodSchema>;
