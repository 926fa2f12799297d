import type { EventRecorder } from '../../client/event-recorder.ts';
import type { KubeClient } from '../../client/client.ts';
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

/** What the workers of all pods share. */
export interface WorkerServices {
  readonly client: KubeClient;
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

/** What a part of one pod's worker works with. */
export interface PartContext {
  readonly uid: string;
  readonly services: WorkerServices;
  /** The worker looks again then, if not sooner. */
  wakeIn(ms: number): void;
}
