import {
  createHostPorts,
  hostPortsOf,
  takesReservedPort,
} from '../../api/core/v1/pod/host-ports.ts';
import type { Pod } from '../../api/core/v1/pod.ts';
import { uidOf } from './names.ts';

/** Why this node does not run a pod, in the kubelet's words. */
export interface Rejection {
  readonly reason: string;
  readonly message: string;
}

export interface NodeFacts {
  /** The pods of this node, as the API knows them. */
  readonly pods: () => readonly Pod[];
  /** TCP ports on which the node itself listens, at this moment. */
  readonly reservedPorts: () => Promise<ReadonlySet<number>>;
  /** Whether the kernel can enforce AppArmor profiles. */
  readonly hasAppArmor: () => Promise<boolean>;
}

export interface PodAdmission {
  /** @returns why the pod is rejected; once admitted, a pod is not rejected later */
  admit(pod: Pod): Promise<Rejection | undefined>;
  /** Call when the pod is gone: its ports are free again. */
  forget(pod: Pod): void;
}

/** The kubelet's admission checks, for pods that bypassed the scheduler or that it placed with outdated knowledge. */
export function createPodAdmission({ pods, reservedPorts, hasAppArmor }: NodeFacts): PodAdmission {
  const admitted = new Set<string>();

  const hasFreePorts = async (pod: Pod): Promise<boolean> => {
    const wanted = hostPortsOf(pod);
    if (wanted.length === 0) return true;
    if (takesReservedPort(wanted, await reservedPorts())) return false;
    const taken = createHostPorts();
    for (const other of pods()) {
      const comesFirst =
        uidOf(other) !== uidOf(pod) &&
        !hasEnded(other) &&
        (admitted.has(uidOf(other)) || comesBefore(other, pod));
      if (comesFirst) for (const port of hostPortsOf(other)) taken.add(port);
    }
    return !wanted.some(taken.isTaken);
  };

  const rejectionOf = async (pod: Pod): Promise<Rejection | undefined> => {
    const { os } = pod.spec;
    if (os !== undefined && os.name !== 'linux') {
      return {
        reason: 'PodOSNotSupported',
        message: "Failed to admit pod as the OS field doesn't match node OS",
      };
    }
    if (!(await hasFreePorts(pod))) {
      return {
        reason: 'NodePorts',
        message:
          "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
      };
    }
    if (wantsAppArmor(pod) && !(await hasAppArmor())) {
      return {
        reason: 'AppArmor',
        message: 'Cannot enforce AppArmor: AppArmor is not enabled on the host',
      };
    }
    return undefined;
  };

  return {
    async admit(pod) {
      const uid = uidOf(pod);
      if (admitted.has(uid)) return undefined;
      const rejection = await rejectionOf(pod);
      if (rejection === undefined) admitted.add(uid);
      return rejection;
    },
    forget: pod => void admitted.delete(uidOf(pod)),
  };
}

const hasEnded = ({ status }: Pod): boolean =>
  status?.phase === 'Succeeded' || status?.phase === 'Failed';

/** Precedence between pods not admitted yet: a started pod first, then the older one. */
function comesBefore(a: Pod, b: Pod): boolean {
  const rank = ({ status, metadata }: Pod): string[] => [
    status?.startTime === undefined ? '1' : '0',
    metadata.creationTimestamp ?? '',
    metadata.uid ?? '',
  ];
  return rank(a).join(' ') < rank(b).join(' ');
}

/** Whether a pod that has not started requires AppArmor. */
function wantsAppArmor({ spec, status }: Pod): boolean {
  if ((status?.phase ?? 'Pending') !== 'Pending') return false;
  const profiles = [
    spec.securityContext?.appArmorProfile,
    ...[...(spec.initContainers ?? []), ...spec.containers].map(
      each => each.securityContext?.appArmorProfile,
    ),
  ];
  return profiles.some(profile => profile !== undefined && profile.type !== 'Unconfined');
}
