import { createHash } from 'node:crypto';
import type { Container, Pod } from '../../api/core/v1/pod.ts';
import { parseQuantity, quantityMilli, quantityUnits } from '../../machinery/quantity.ts';
import type { Environment } from '../env/build-environment.ts';
import { ContainerConfigError } from '../env/build-environment.ts';
import { namesIn } from '../env/expand.ts';
import type { ContainerConfig, Image, Mount } from '../runtime/runtime.ts';
import { annotations, labels, podText, uidOf } from './names.ts';
import {
  defined,
  appArmorProfile,
  namespaceOptions,
  seccompProfile,
  supplementalGroups,
} from './sandbox-config.ts';

export interface ContainerConfigRequest {
  readonly pod: Pod;
  readonly container: Container;
  readonly attempt: number;
  readonly imageRef: string;
  readonly image: Image;
  readonly environment: Environment;
  readonly mounts: readonly Mount[];
}

/** The configuration of a container. @throws ContainerConfigError where its security settings forbid it to run */
export function containerConfig(request: ContainerConfigRequest): ContainerConfig {
  const { pod, container, attempt, imageRef, image, environment, mounts } = request;
  const { expand, confidential } = environment;
  const words = [...(container.command ?? []), ...(container.args ?? [])];
  return {
    metadata: { name: container.name, attempt },
    image: imageRef,
    command: (container.command ?? []).map(expand),
    args: (container.args ?? []).map(expand),
    workingDir: container.workingDir ?? '',
    envs: environment.envs,
    confidential: {
      envs: [...confidential],
      words: words.filter(word => namesIn(word).some(name => confidential.has(name))).map(expand),
    },
    mounts: [...mounts],
    labels: {
      [labels.podName]: pod.metadata.name ?? '',
      [labels.podNamespace]: pod.metadata.namespace ?? '',
      [labels.podUid]: uidOf(pod),
      [labels.containerName]: container.name,
    },
    annotations: {
      [annotations.hash]: containerHash(container),
      [annotations.restartCount]: String(attempt),
      [annotations.terminationMessagePath]: container.terminationMessagePath ?? '',
      [annotations.terminationMessagePolicy]: container.terminationMessagePolicy ?? 'File',
      [annotations.podTerminationGracePeriod]: String(pod.spec.terminationGracePeriodSeconds ?? 30),
    },
    logPath: `${container.name}/${attempt}.log`,
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    linux: {
      resources: resourcesOf(container),
      securityContext: securityContext(pod, container, image),
    },
  };
}

/** Changes when the container has to be replaced: of a running pod only the images can change. */
export const containerHash = ({ name, image }: Container): string =>
  createHash('sha256').update(JSON.stringify({ name, image })).digest('hex').slice(0, 8);

type ContainerSecurity = ContainerConfig['linux']['securityContext'];

const maskedPaths = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/** The container's own settings take precedence over the pod's. */
function securityContext(pod: Pod, container: Container, image: Image): ContainerSecurity {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  const runAsUser = own.runAsUser ?? shared.runAsUser;
  const runAsGroup = own.runAsGroup ?? shared.runAsGroup;
  if (own.runAsNonRoot ?? shared.runAsNonRoot ?? false)
    mustNotBeRoot(pod, container, image, runAsUser);
  const privileged = own.privileged ?? false;
  const seLinux = own.seLinuxOptions ?? shared.seLinuxOptions;
  const appArmor = own.appArmorProfile ?? shared.appArmorProfile;
  return {
    privileged,
    namespaceOptions: namespaceOptions(pod),
    capabilities: {
      addCapabilities: own.capabilities?.add ?? [],
      dropCapabilities: own.capabilities?.drop ?? [],
    },
    ...userOf(image, runAsUser),
    ...(runAsGroup === undefined ? {} : { runAsGroup }),
    readonlyRootfs: own.readOnlyRootFilesystem ?? false,
    supplementalGroups: supplementalGroups(pod),
    noNewPrivs: own.allowPrivilegeEscalation === false,
    ...(seLinux === undefined ? {} : { selinuxOptions: defined(seLinux) }),
    ...(appArmor === undefined || privileged ? {} : { apparmor: appArmorProfile(appArmor) }),
    maskedPaths: privileged || own.procMount === 'Unmasked' ? [] : maskedPaths,
    readonlyPaths: privileged || own.procMount === 'Unmasked' ? [] : readonlyPaths,
    seccomp: privileged
      ? { profileType: 'Unconfined' }
      : seccompProfile(own.seccompProfile ?? shared.seccompProfile),
  };
}

function userOf(
  image: Image,
  runAsUser: number | undefined,
): Pick<ContainerSecurity, 'runAsUser' | 'runAsUsername'> {
  if (runAsUser !== undefined) return { runAsUser };
  if (image.uid !== undefined) return { runAsUser: image.uid };
  return image.username === '' ? {} : { runAsUsername: image.username };
}

function mustNotBeRoot(
  pod: Pod,
  container: Container,
  image: Image,
  runAsUser: number | undefined,
): void {
  const what = `(pod: ${JSON.stringify(podText(pod))}, container: ${container.name})`;
  if (runAsUser !== undefined) {
    if (runAsUser === 0)
      throw new ContainerConfigError(`container's runAsUser breaks non-root policy ${what}`);
    return;
  }
  if (image.username !== '') {
    throw new ContainerConfigError(
      `container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root ${what}`,
    );
  }
  if ((image.uid ?? 0) === 0) {
    throw new ContainerConfigError(`container has runAsNonRoot and image will run as root ${what}`);
  }
}

const cpuPeriodUs = 100_000;
const minQuotaUs = 1000;

/** CPU as shares and quota, memory as a limit (kuberuntime's calculateLinuxResources). */
function resourcesOf({
  resources = {},
}: Container): NonNullable<ContainerConfig['linux']['resources']> {
  const { limits = {}, requests = {} } = resources;
  const cpuRequest = requests['cpu'] ?? limits['cpu'];
  const cpuLimit = limits['cpu'];
  const memory = limits['memory'];
  const shares =
    cpuRequest === undefined
      ? 2
      : Math.max(2, Math.floor((quantityMilli(cpuRequest) * 1024) / 1000));
  return {
    cpuShares: shares,
    ...(cpuLimit === undefined || parseQuantity(cpuLimit) === 0n
      ? {}
      : {
          cpuPeriod: cpuPeriodUs,
          cpuQuota: Math.max(
            minQuotaUs,
            Math.floor((quantityMilli(cpuLimit) * cpuPeriodUs) / 1000),
          ),
        }),
    ...(memory === undefined ? {} : { memoryLimitInBytes: quantityUnits(memory) }),
    oomScoreAdj: 1000,
  };
}
