import type { EventRecorder } from '../../client/event-recorder.ts';
import type { Pod } from '../../api/core/v1/pod.ts';
import type { ResourceClient } from '../../client/client.ts';
import type { Logger } from '../../machinery/log.ts';
import type { ImagePuller } from '../images/image-puller.ts';
import type { References } from '../references/references.ts';
import type { ContainerRuntime } from '../runtime/container-runtime.ts';
import type { SandboxRuntime } from '../runtime/sandbox-runtime.ts';
import type { StreamingRuntime } from '../runtime/streaming-runtime.ts';
import type { VolumeManager } from '../volumes/volume-manager.ts';
import type { PodAdmission } from './pod-admission.ts';

/** What the workers of pods need of the runtime. */
export type PodRuntime = SandboxRuntime & ContainerRuntime & StreamingRuntime;

export type PodClient = Pick<ResourceClient<Pod>, 'patch' | 'delete'>;

/** What the workers of all pods share. */
export interface WorkerServices {
  /** The pods of the API. */
  readonly pods: PodClient;
  readonly runtime: PodRuntime;
  readonly runtimeName: string;
  readonly volumes: VolumeManager;
  readonly references: References;
  readonly images: ImagePuller;
  readonly admission: PodAdmission;
  readonly recorder: EventRecorder;
  readonly dataDir: string;
  readonly nodeName: string;
  readonly hostIp: string;
  readonly nameRule: 'strict' | 'relaxed';
  /** KUBERNETES_SERVICE_HOST and the like. */
  readonly serviceEnv: Readonly<Record<string, string>>;
  readonly log: Logger;
}

/** What the parts of one pod's worker share. */
export interface PartContext {
  readonly uid: string;
  readonly services: WorkerServices;
  /** The worker syncs the pod again: now, or after that time, if not sooner. */
  wake(): void;
  wakeIn(ms: number): void;
}
