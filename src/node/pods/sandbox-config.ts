import path from 'node:path';
import { ContainerConfigError } from '../env/build-environment.ts';
import type { Pod } from '../../api/core/v1/pod.ts';
import type { NamespaceOptions, PodSandboxConfig, SecurityProfile } from '../runtime/runtime.ts';
import { labels, logDirectoryOf, uidOf } from './names.ts';
import { kernelHostname } from './pod-hostname.ts';

/** The configuration of a pod's sandbox. */
export function sandboxConfig(pod: Pod, attempt: number): PodSandboxConfig {
  const { metadata, spec } = pod;
  const { name = '', namespace = '' } = metadata;
  const security = spec.securityContext ?? {};
  const dns = dnsConfig(pod);
  return {
    metadata: { name, namespace, uid: uidOf(pod), attempt },
    hostname: spec.hostNetwork === true ? '' : kernelHostname(pod),
    logDirectory: logDirectoryOf(pod),
    ...(dns === undefined ? {} : { dnsConfig: dns }),
    portMappings: portMappings(pod),
    labels: {
      ...metadata.labels,
      [labels.podName]: name,
      [labels.podNamespace]: namespace,
      [labels.podUid]: uidOf(pod),
    },
    annotations: { ...metadata.annotations },
    linux: {
      sysctls: Object.fromEntries((security.sysctls ?? []).map(each => [each.name, each.value])),
      securityContext: {
        namespaceOptions: namespaceOptions(pod),
        ...(security.runAsUser === undefined ? {} : { runAsUser: security.runAsUser }),
        ...(security.runAsGroup === undefined || security.runAsUser === undefined
          ? {}
          : { runAsGroup: security.runAsGroup }),
        ...(security.seLinuxOptions === undefined
          ? {}
          : { selinuxOptions: defined(security.seLinuxOptions) }),
        supplementalGroups: supplementalGroups(pod),
        privileged: [...(spec.initContainers ?? []), ...spec.containers].some(
          each => each.securityContext?.privileged === true,
        ),
        seccomp: seccompProfile(security.seccompProfile),
      },
    },
  };
}

export function namespaceOptions({ spec }: Pod): NamespaceOptions {
  return {
    network: spec.hostNetwork === true ? 'NODE' : 'POD',
    pid: spec.hostPID === true ? 'NODE' : spec.shareProcessNamespace === true ? 'POD' : 'CONTAINER',
    ipc: spec.hostIPC === true ? 'NODE' : 'POD',
  };
}

/** The processes belong to fsGroup too, so that they can use the files that it owns. */
export function supplementalGroups({ spec }: Pod): number[] {
  const { supplementalGroups: groups = [], fsGroup } = spec.securityContext ?? {};
  return fsGroup === undefined ? groups : [...groups, fsGroup];
}

interface Profile {
  readonly type: string;
  readonly localhostProfile?: string | undefined;
}

/** The folder of seccomp profiles, the same as the kubelet's. */
const seccompRoot = '/var/lib/kubelet/seccomp';

/** @throws ContainerConfigError for a file outside the folder of profiles */
export function seccompProfile(profile: Profile | undefined): SecurityProfile {
  const { profileType, localhostRef } = appArmorProfile(profile);
  if (localhostRef === undefined) return { profileType };
  const file = path.join(seccompRoot, localhostRef);
  // The API refuses such a path, but an older Keylet may have stored one.
  if (path.isAbsolute(localhostRef) || !file.startsWith(`${seccompRoot}/`))
    throw new ContainerConfigError(
      "seccomp localhostProfile must be a path below the node's profiles",
    );
  return { profileType, localhostRef: file };
}

export function appArmorProfile(profile: Profile | undefined): SecurityProfile {
  if (profile?.type === 'RuntimeDefault') return { profileType: 'RuntimeDefault' };
  if (profile?.type === 'Localhost')
    return { profileType: 'Localhost', localhostRef: profile.localhostProfile ?? '' };
  return { profileType: 'Unconfined' };
}

/** Absent: the runtime copies the host's resolv.conf. There is no cluster DNS to prefer. */
function dnsConfig({ spec }: Pod): PodSandboxConfig['dnsConfig'] {
  const own = spec.dnsConfig;
  if (own === undefined && spec.dnsPolicy !== 'None') return undefined;
  return {
    servers: own?.nameservers ?? [],
    searches: own?.searches ?? [],
    options: (own?.options ?? []).map(({ name = '', value }) =>
      value === undefined ? name : `${name}:${value}`,
    ),
  };
}

const portMappings = ({ spec }: Pod): NonNullable<PodSandboxConfig['portMappings']> =>
  spec.hostNetwork === true
    ? []
    : [...(spec.initContainers ?? []), ...spec.containers].flatMap(({ ports = [] }) =>
        ports
          .filter(port => port.hostPort !== undefined && port.hostPort > 0)
          .map(({ protocol = 'TCP', containerPort, hostPort = 0, hostIP = '' }) => ({
            protocol,
            containerPort,
            hostPort,
            hostIp: hostIP,
          })),
      );

/** Without members that are undefined, as `exactOptionalPropertyTypes` asks for. */
export function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
