import type { ContainerRuntime } from './container-runtime.ts';
import type { ImageService } from './image-service.ts';
import type { RuntimeMonitor } from './runtime-monitor.ts';
import type { SandboxRuntime } from './sandbox-runtime.ts';
import type { StreamingRuntime } from './streaming-runtime.ts';

export type * from './container-runtime.ts';
export type * from './image-service.ts';
export type * from './runtime-monitor.ts';
export type * from './sandbox-runtime.ts';
export type * from './security-options.ts';
export type * from './streaming-runtime.ts';
export { RuntimeError, type RuntimeErrorCode } from './runtime-error.ts';

/**
 * A container runtime, as one connection to CRI v1 offers it. Whoever uses it asks for the ports that it needs.
 * The adapter is `cri/` (containerd and CRI-O serve it), the fake for tests is `fake/`; `conformance.ts` says what
 * both have in common. Fields have CRI's names in camel case; enums are their CRI names.
 */
export interface Runtime
  extends SandboxRuntime, ContainerRuntime, StreamingRuntime, ImageService, RuntimeMonitor {
  close(): Promise<void>;
}
