import { object, optional } from '../../../../machinery/schema.ts';

const unsupported = (number: number, type: string) =>
  optional(number, object(`io.k8s.api.core.v1.${type}`, 'Not supported.', {}), 'Not supported.');

/**
 * Kubernetes' volume types that Keylet refuses. They are declared so that a volume of such a type is
 * not taken for one without a source, which is an emptyDir.
 */
export const unsupportedVolumeSources = {
  gcePersistentDisk: unsupported(3, 'GCEPersistentDiskVolumeSource'),
  awsElasticBlockStore: unsupported(4, 'AWSElasticBlockStoreVolumeSource'),
  gitRepo: unsupported(5, 'GitRepoVolumeSource'),
  iscsi: unsupported(8, 'ISCSIVolumeSource'),
  glusterfs: unsupported(9, 'GlusterfsVolumeSource'),
  rbd: unsupported(11, 'RBDVolumeSource'),
  flexVolume: unsupported(12, 'FlexVolumeSource'),
  cinder: unsupported(13, 'CinderVolumeSource'),
  cephfs: unsupported(14, 'CephFSVolumeSource'),
  flocker: unsupported(15, 'FlockerVolumeSource'),
  fc: unsupported(17, 'FCVolumeSource'),
  azureFile: unsupported(18, 'AzureFileVolumeSource'),
  vsphereVolume: unsupported(20, 'VsphereVirtualDiskVolumeSource'),
  quobyte: unsupported(21, 'QuobyteVolumeSource'),
  azureDisk: unsupported(22, 'AzureDiskVolumeSource'),
  photonPersistentDisk: unsupported(23, 'PhotonPersistentDiskVolumeSource'),
  portworxVolume: unsupported(24, 'PortworxVolumeSource'),
  scaleIO: unsupported(25, 'ScaleIOVolumeSource'),
  storageos: unsupported(27, 'StorageOSVolumeSource'),
  ephemeral: unsupported(29, 'EphemeralVolumeSource'),
  image: unsupported(30, 'ImageVolumeSource'),
} as const;
