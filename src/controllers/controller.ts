import type { KubeClient } from '../client/client.ts';
import type { EventRecorder } from '../client/event-recorder.ts';
import type { SharedInformers } from '../client/shared-informers.ts';
import type { Logger } from '../machinery/log.ts';
import type { ResourceDescriptor } from '../machinery/resource.ts';

/** The resources that the API serves; they may change at any time. */
export interface KnownResources {
  /** Each in the version that is stored. */
  descriptors(): readonly ResourceDescriptor[];
  onChange(listener: () => void): void;
}

export interface ControllerContext {
  readonly client: KubeClient;
  readonly resources: KnownResources;
  readonly informers: SharedInformers;
  /** @param component the `source` of the events */
  recorder(component: string): EventRecorder;
  /** Aborts when the controllers end. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** One loop of the control plane: it knows nothing but the API. */
export interface Controller {
  readonly name: string;
  start(context: ControllerContext): RunningController;
}

export interface RunningController {
  /** Begins nothing new; resolves when what runs has ended. */
  close(): Promise<void>;
}
