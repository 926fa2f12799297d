import type { KubeClient } from '../client/client.ts';
import type { EventRecorder } from '../client/event-recorder.ts';
import type { SharedInformers } from '../client/shared-informers.ts';
import type { Logger } from '../machinery/log.ts';

export interface ControllerContext {
  readonly client: KubeClient;
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
