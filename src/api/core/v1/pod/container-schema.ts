import {
  boolean,
  int32,
  int64,
  intOrString,
  list,
  map,
  object,
  oneOf,
  optional,
  quantity,
  required,
  string,
  within,
  type Infer,
} from '../../../../machinery/schema.ts';
import { envFields } from './env-schema.ts';
import { VolumeMountSchema } from './volume-schema.ts';

const core = 'io.k8s.api.core.v1';

const ExecActionSchema = object(`${core}.ExecAction`, 'A command in the container.', {
  command: optional(1, list(string()), 'The command and its arguments; no shell.', {
    listType: 'atomic',
  }),
});
const HTTPGetActionSchema = object(`${core}.HTTPGetAction`, 'An HTTP GET.', {
  path: optional(1, string(), 'The path.'),
  port: required(2, intOrString(), 'Number or name of a port of the container.'),
  host: optional(3, string(), "The host; the pod's address by default."),
  scheme: optional(4, oneOf('HTTP', 'HTTPS'), 'HTTP or HTTPS.'),
  httpHeaders: optional(
    5,
    list(
      object(`${core}.HTTPHeader`, 'A header.', {
        name: required(1, string(), 'Its name.'),
        value: required(2, string(), 'Its value.'),
      }),
    ),
    'Headers to send.',
    { listType: 'atomic' },
  ),
});
const TCPSocketActionSchema = object(`${core}.TCPSocketAction`, 'A TCP connection.', {
  port: required(1, intOrString(), 'Number or name of a port of the container.'),
  host: optional(2, string(), "The host; the pod's address by default."),
});
const GRPCActionSchema = object(`${core}.GRPCAction`, 'A gRPC health check.', {
  port: required(1, int32(), 'The port.'),
  service: optional(2, string(), 'The service to ask for.'),
});
const SleepActionSchema = object(`${core}.SleepAction`, 'A pause.', {
  seconds: required(1, int64(), 'How long.'),
});

const handlers = {
  exec: optional(1, ExecActionSchema, 'A command in the container.'),
  httpGet: optional(2, HTTPGetActionSchema, 'An HTTP GET.'),
  tcpSocket: optional(3, TCPSocketActionSchema, 'A TCP connection.'),
} as const;

export const ProbeSchema = object(`${core}.Probe`, 'A question that tells how a container is.', {
  ...within(1, { ...handlers, grpc: optional(4, GRPCActionSchema, 'A gRPC health check.') }),
  initialDelaySeconds: optional(2, int32(), 'How long after the start the first is asked.'),
  timeoutSeconds: optional(3, int32(), 'How long an answer may take.', { default: 1 }),
  periodSeconds: optional(4, int32(), 'How often it is asked.', { default: 10 }),
  successThreshold: optional(5, int32(), 'How many good answers in a row make a success.', {
    default: 1,
  }),
  failureThreshold: optional(6, int32(), 'How many bad answers in a row make a failure.', {
    default: 3,
  }),
  terminationGracePeriodSeconds: optional(
    7,
    int64(),
    'How long the container may take to end when this fails.',
  ),
});
export type Probe = Infer<typeof ProbeSchema>;

export const LifecycleHandlerSchema = object(
  `${core}.LifecycleHandler`,
  'What to do at a turn of a life.',
  {
    ...handlers,
    sleep: optional(4, SleepActionSchema, 'A pause.'),
  },
);
export type LifecycleHandler = Infer<typeof LifecycleHandlerSchema>;

const WindowsOptionsSchema = object(
  `${core}.WindowsSecurityContextOptions`,
  'Security settings of Windows nodes.',
  {
    gmsaCredentialSpecName: optional(1, string(), 'Name of a GMSA credential spec.'),
    gmsaCredentialSpec: optional(2, string(), 'A GMSA credential spec.'),
    runAsUserName: optional(3, string(), 'Windows user that the process runs as.'),
    hostProcess: optional(4, boolean(), 'Run as a process of the node.'),
  },
);

export const SecurityContextSchema = object(`${core}.SecurityContext`, 'What a container may.', {
  capabilities: optional(
    1,
    object(`${core}.Capabilities`, 'Capabilities beyond, or short of, the usual ones.', {
      add: optional(1, list(string()), 'To add.', { listType: 'atomic' }),
      drop: optional(2, list(string()), 'To drop; ALL for all.', { listType: 'atomic' }),
    }),
    'Capabilities beyond, or short of, the usual ones.',
  ),
  privileged: optional(2, boolean(), 'Whether it is as root on the node.'),
  seLinuxOptions: optional(
    3,
    object(`${core}.SELinuxOptions`, 'An SELinux context.', {
      user: optional(1, string(), 'User.'),
      role: optional(2, string(), 'Role.'),
      type: optional(3, string(), 'Type.'),
      level: optional(4, string(), 'Level.'),
    }),
    'Its SELinux context.',
  ),
  runAsUser: optional(4, int64(), 'UID of its process.'),
  runAsNonRoot: optional(5, boolean(), 'Refuse to run it as root.'),
  readOnlyRootFilesystem: optional(6, boolean(), 'Whether its root file system is read-only.'),
  allowPrivilegeEscalation: optional(
    7,
    boolean(),
    'Whether a process may gain more than its parent.',
  ),
  runAsGroup: optional(8, int64(), 'GID of its process.'),
  procMount: optional(9, string(), 'Default or Unmasked.'),
  windowsOptions: optional(
    10,
    WindowsOptionsSchema,
    'Settings of Windows nodes; no other has a use for them.',
  ),
  seccompProfile: optional(
    11,
    object(`${core}.SeccompProfile`, 'A seccomp profile.', {
      type: required(1, oneOf('Localhost', 'RuntimeDefault', 'Unconfined'), 'Which.'),
      localhostProfile: optional(2, string(), 'File of a profile on the node.'),
    }),
    'Its seccomp profile.',
  ),
  appArmorProfile: optional(
    12,
    object(`${core}.AppArmorProfile`, 'An AppArmor profile.', {
      type: required(
        1,
        oneOf('Localhost', 'RuntimeDefault', 'Unconfined'),
        'Localhost, RuntimeDefault or Unconfined.',
      ),
      localhostProfile: optional(
        2,
        string(),
        'Name of a profile that is loaded on the node; with type Localhost only.',
      ),
    }),
    "Its AppArmor profile, over the pod's. The runtime's own by default, where the node has AppArmor.",
  ),
});
export type SecurityContext = Infer<typeof SecurityContextSchema>;

export const ResourceRequirementsSchema = object(
  `${core}.ResourceRequirements`,
  'What a container needs and may use.',
  {
    limits: optional(1, map(quantity()), 'The most that it may use.'),
    requests: optional(2, map(quantity()), 'What it needs; the limits if not given.'),
  },
);

const ContainerPortSchema = object(`${core}.ContainerPort`, 'A port that a container listens on.', {
  name: optional(1, string(), 'Its name, unique in the pod.'),
  hostPort: optional(2, int32(), 'Port of the node that leads to it.'),
  containerPort: required(3, int32(), 'The port.'),
  protocol: optional(4, oneOf('TCP', 'UDP', 'SCTP'), 'TCP, UDP or SCTP.', { default: 'TCP' }),
  hostIP: optional(5, string(), 'Address of the node that the port is bound to.'),
});

const containerFields = {
  name: required(1, string(), 'Its name, unique in the pod.'),
  image: optional(2, string(), 'Its image.'),
  command: optional(3, list(string()), "Replaces the image's entry point; $(NAME) is expanded.", {
    listType: 'atomic',
  }),
  args: optional(4, list(string()), "Replaces the image's arguments; $(NAME) is expanded.", {
    listType: 'atomic',
  }),
  workingDir: optional(5, string(), 'Its working folder.'),
  ports: optional(6, list(ContainerPortSchema), 'Ports that it listens on.', {
    strategy: 'merge',
    mergeKey: 'containerPort',
    listType: 'map',
    listMapKeys: ['containerPort', 'protocol'],
  }),
  ...envFields,
  resources: optional(8, ResourceRequirementsSchema, 'What it needs and may use.'),
  volumeMounts: optional(9, list(VolumeMountSchema), 'Volumes to mount.', {
    strategy: 'merge',
    mergeKey: 'mountPath',
    listType: 'map',
    listMapKeys: ['mountPath'],
  }),
  livenessProbe: optional(10, ProbeSchema, 'It is restarted when this fails.'),
  readinessProbe: optional(11, ProbeSchema, 'It is not ready while this fails.'),
  lifecycle: optional(
    12,
    object(`${core}.Lifecycle`, 'What to do at its start and end.', {
      postStart: optional(1, LifecycleHandlerSchema, 'Right after the start.'),
      preStop: optional(2, LifecycleHandlerSchema, 'Before it is ended.'),
    }),
    'What to do at its start and end.',
  ),
  terminationMessagePath: optional(13, string(), 'File in which it may leave its last words.'),
  imagePullPolicy: optional(
    14,
    oneOf('Always', 'IfNotPresent', 'Never'),
    'When the image is pulled.',
  ),
  securityContext: optional(15, SecurityContextSchema, 'What it may.'),
  stdin: optional(16, boolean(), 'Whether it has a standard input.'),
  stdinOnce: optional(17, boolean(), 'Whether that is closed after the first attach.'),
  tty: optional(18, boolean(), 'Whether it has a terminal.'),
  terminationMessagePolicy: optional(
    20,
    oneOf('File', 'FallbackToLogsOnError'),
    'Where its last words come from.',
  ),
  startupProbe: optional(22, ProbeSchema, 'Until this succeeds the others wait.'),
  restartPolicy: optional(24, string(), 'Always, for an init container that stays.'),
} as const;

export const ContainerSchema = object(`${core}.Container`, 'A program of a pod.', containerFields);
export type Container = Infer<typeof ContainerSchema>;

export const EphemeralContainerSchema = object(
  `${core}.EphemeralContainer`,
  'A program put into a running pod to look around.',
  {
    ...within(1, containerFields),
    targetContainerName: optional(2, string(), 'Whose processes it sees.'),
  },
);

/** Container lists merge by name. */
export const containerList = (number: number, description: string) =>
  optional(number, list(ContainerSchema), description, {
    strategy: 'merge',
    mergeKey: 'name',
    listType: 'map',
    listMapKeys: ['name'],
  });
