import type { Pod } from '../../../api/core/v1/pod.ts';

/** What is checked: a pod, or the template of one. */
export type PodToCheck = Pick<Pod, 'metadata' | 'spec'>;

/** What a pod does that a level forbids, in Kubernetes' words. */
export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

export type CheckPod = (pod: PodToCheck) => Violation | undefined;

export interface VersionedCheck {
  /** The minor number of the first Kubernetes version with these rules. */
  readonly since: number;
  readonly check: CheckPod;
  /** Baseline checks that this restricted check replaces. */
  readonly overrides?: readonly string[];
}

/** One rule of the Pod Security Standards and its history (k8s.io/pod-security-admission/policy). */
export interface Check {
  readonly id: string;
  readonly level: 'baseline' | 'restricted';
  /** Oldest first. */
  readonly versions: readonly VersionedCheck[];
}
