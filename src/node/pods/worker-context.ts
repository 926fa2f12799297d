import type { EventRecorder } from '../../client/event-recorder.ts';
import type { KubeClient } from '../../client/client.ts';
import type { Logger } from '../../machinery/log.ts';
import type { ImagePuller } from '../images/image-puller.ts';
import type { References } from '../references/references.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { VolumeManager } from '../volumes/volume-manager.ts';
import type { PodAdmission } from './pod-admission.ts';

/** What the workers of all pods share. */
export interface WorkerServices {
  readonly client: KubeClient;
  readonly runtime: Runtime;
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
