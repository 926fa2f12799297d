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
  required,
  string,
  within,
  type Infer,
} from '../../../../machinery/schema.ts';
import { unsupportedVolumeSources } from './unsupported-volume-sources.ts';
import {
  keyToPathList,
  LocalObjectReferenceSchema,
  localName,
  ObjectFieldSelectorSchema,
  ResourceFieldSelectorSchema,
} from '../references.ts';

const core = 'io.k8s.api.core.v1';

const defaultMode = optional(
  3,
  int32(),
  'Permission bits of the files, 0 to 0777; 0644 if not given. JSON needs decimal.',
  { default: 420 },
);
/** KEP-5936. */
const userField = (number: number) =>
  optional(number, int64(), 'UID that owns the file; over defaultUser.');
const defaultUserField = (number: number) =>
  optional(number, int64(), 'UID that owns the files; root if not given.');

const DownwardFileSchema = object(
  `${core}.DownwardAPIVolumeFile`,
  'A file that tells of the pod.',
  {
    path: required(1, string(), 'Relative path of the file.'),
    fieldRef: optional(2, ObjectFieldSelectorSchema, 'A field of the pod.'),
    resourceFieldRef: optional(
      3,
      ResourceFieldSelectorSchema,
      'A request or limit of a container.',
    ),
    mode: optional(4, int32(), 'Permission bits of the file.'),
    user: userField(5),
  },
);
export type DownwardFile = Infer<typeof DownwardFileSchema>;

const mayBeAbsent = optional(4, boolean(), 'Whether the object or its keys may be absent.');

export const SecretVolumeSourceSchema = object(
  `${core}.SecretVolumeSource`,
  'Files from a Secret.',
  {
    secretName: optional(1, string(), 'Name of the Secret, in the same namespace.'),
    items: keyToPathList(2),
    defaultMode,
    optional: mayBeAbsent,
    defaultUser: defaultUserField(5),
  },
);
export type SecretVolumeSource = Infer<typeof SecretVolumeSourceSchema>;

export const ConfigMapVolumeSourceSchema = object(
  `${core}.ConfigMapVolumeSource`,
  'Files from a ConfigMap.',
  {
    ...localName,
    items: keyToPathList(2),
    defaultMode,
    optional: mayBeAbsent,
    defaultUser: defaultUserField(5),
  },
);

const projection = (name: string, of: string) =>
  object(`${core}.${name}`, `Files from a ${of}.`, {
    ...localName,
    items: keyToPathList(2),
    optional: mayBeAbsent,
  });

export const VolumeProjectionSchema = object(
  `${core}.VolumeProjection`,
  'One source of a projected volume.',
  {
    secret: optional(1, projection('SecretProjection', 'Secret'), 'Files from a Secret.'),
    downwardAPI: optional(
      2,
      object(`${core}.DownwardAPIProjection`, 'Files that tell of the pod.', {
        items: optional(1, list(DownwardFileSchema), 'The files.'),
      }),
      'Files that tell of the pod.',
    ),
    configMap: optional(
      3,
      projection('ConfigMapProjection', 'ConfigMap'),
      'Files from a ConfigMap.',
    ),
    serviceAccountToken: optional(
      4,
      object(`${core}.ServiceAccountTokenProjection`, "A token of the pod's service account.", {
        audience: optional(1, string(), 'Who the token is for; the API itself if empty.'),
        expirationSeconds: optional(2, int64(), 'How long it lasts; it is renewed in time.'),
        path: required(3, string(), 'Relative path of the file.'),
        user: userField(4),
      }),
      "A token of the pod's service account.",
    ),
  },
);
export type VolumeProjection = Infer<typeof VolumeProjectionSchema>;

export const volumeSources = {
  hostPath: optional(
    1,
    object(`${core}.HostPathVolumeSource`, 'A file or folder of the node.', {
      path: required(1, string(), 'Its path on the node.'),
      type: optional(
        2,
        string(),
        'What must be there: Directory, DirectoryOrCreate, File, FileOrCreate, Socket, CharDevice, BlockDevice.',
      ),
    }),
    'A file or folder of the node.',
  ),
  emptyDir: optional(
    2,
    object(`${core}.EmptyDirVolumeSource`, 'A folder that lives as long as the pod.', {
      medium: optional(1, string(), 'Memory for a tmpfs.'),
      sizeLimit: optional(2, quantity(), 'How much it may hold.'),
    }),
    'A folder that lives as long as the pod.',
  ),
  secret: optional(6, SecretVolumeSourceSchema, 'Files from a Secret.'),
  nfs: optional(
    7,
    object(`${core}.NFSVolumeSource`, 'A folder of an NFS server.', {
      server: required(1, string(), 'The server.'),
      path: required(2, string(), 'The exported path.'),
      readOnly: optional(3, boolean(), 'Whether it may not be written.'),
    }),
    'A folder of an NFS server.',
  ),
  persistentVolumeClaim: optional(
    10,
    object(`${core}.PersistentVolumeClaimVolumeSource`, 'A claimed volume.', {
      claimName: required(1, string(), 'Name of the claim.'),
      readOnly: optional(2, boolean(), 'Whether it may not be written.'),
    }),
    'A claimed volume.',
  ),
  downwardAPI: optional(
    16,
    object(`${core}.DownwardAPIVolumeSource`, 'Files that tell of the pod.', {
      items: optional(1, list(DownwardFileSchema), 'The files.'),
      defaultMode: optional(2, int32(), 'Permission bits of the files.', { default: 420 }),
      defaultUser: defaultUserField(3),
    }),
    'Files that tell of the pod.',
  ),
  configMap: optional(19, ConfigMapVolumeSourceSchema, 'Files from a ConfigMap.'),
  projected: optional(
    26,
    object(`${core}.ProjectedVolumeSource`, 'Files from several sources in one folder.', {
      sources: optional(1, list(VolumeProjectionSchema), 'The sources; the later wins.', {
        listType: 'atomic',
      }),
      defaultMode: optional(2, int32(), 'Permission bits of the files.', { default: 420 }),
      defaultUser: defaultUserField(3),
    }),
    'Files from several sources in one folder.',
  ),
  csi: optional(
    28,
    object(`${core}.CSIVolumeSource`, 'A volume of a CSI driver.', {
      driver: required(1, string(), 'Name of the driver.'),
      readOnly: optional(2, boolean(), 'Whether it may not be written.'),
      fsType: optional(3, string(), 'The file system.'),
      volumeAttributes: optional(4, map(string()), "The driver's own settings."),
      nodePublishSecretRef: optional(5, LocalObjectReferenceSchema, 'A Secret for the driver.'),
    }),
    'A volume of a CSI driver.',
  ),
} as const;

export const VolumeSchema = object(
  `${core}.Volume`,
  'A folder that containers of a pod can mount.',
  {
    name: required(1, string(), 'Its name, unique in the pod.'),
    ...within(2, { ...volumeSources, ...unsupportedVolumeSources }),
  },
);
export type Volume = Infer<typeof VolumeSchema>;

export const VolumeMountSchema = object(
  `${core}.VolumeMount`,
  'Where a container mounts a volume.',
  {
    name: required(1, string(), 'Name of the volume.'),
    readOnly: optional(2, boolean(), 'Whether the container may not write there.'),
    mountPath: required(3, string(), 'Path in the container.'),
    subPath: optional(4, string(), 'Only this path of the volume; it is not updated.'),
    mountPropagation: optional(
      5,
      oneOf('None', 'HostToContainer', 'Bidirectional'),
      'Which later mounts are seen.',
    ),
    subPathExpr: optional(6, string(), 'As subPath, with $(NAME) expanded.'),
    recursiveReadOnly: optional(
      7,
      oneOf('Disabled', 'IfPossible', 'Enabled'),
      'Whether mounts below are read-only too; with readOnly only.',
    ),
  },
);
export type VolumeMount = Infer<typeof VolumeMountSchema>;
