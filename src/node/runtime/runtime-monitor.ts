/** The runtime as a whole: who it is, whether it is ready, and what happens in it. */
export interface RuntimeMonitor {
  version(): Promise<{ runtimeName: string; runtimeVersion: string; runtimeApiVersion: string }>;
  /** RuntimeReady and NetworkReady. */
  status(): Promise<RuntimeCondition[]>;
  /** Abilities that not every runtime has. */
  features(): Promise<RuntimeFeatures>;
  /**
   * Reports events until the signal aborts. Reconnects by itself: each time it is connected it emits `resync`
   * first, so that the listener compares with `listContainers`, and `lost` when the connection ends.
   */
  watch(listener: (event: RuntimeEvent) => void, signal: AbortSignal): void;
}

export interface RuntimeCondition {
  type: string;
  status: boolean;
  reason: string;
  message: string;
}

export interface RuntimeFeatures {
  /** Mounts whose sub-mounts are read-only too: containerd 2.0, Linux 5.12. */
  recursiveReadOnlyMounts: boolean;
}

export type RuntimeEvent =
  | { readonly type: 'resync' }
  | { readonly type: 'lost' }
  | {
      readonly type: 'container-started' | 'container-exited' | 'container-deleted';
      readonly containerId: string;
    };
