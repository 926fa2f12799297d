import type { RuntimeEvent } from '../runtime-monitor.ts';
import type { Runtime } from '../runtime.ts';
import type { ExecResult } from '../streaming-runtime.ts';
import { createCallControl, type CallControl } from './call-control.ts';
import { createFakeContainers, type Exit } from './fake-containers.ts';
import { createFakeImages } from './fake-images.ts';
import { createFakeSandboxes } from './fake-sandboxes.ts';

/** A runtime in memory, for tests: it runs nothing, and fails or waits where it is told to. */
export interface FakeRuntime extends Runtime, CallControl {
  /** The process of a running container ends. */
  exitContainer(id: string, exit: Exit): void;
  /** The pause process of a sandbox dies. */
  killSandbox(id: string): void;
  /** The image is present without a pull. */
  addImage(image: string): void;
  /** How the containers of that name end when they are stopped. @default exit code 0 */
  setExitOnStop(container: string, exit: Exit): void;
  /** What commands in containers answer. @default exit code 0, without output */
  setExec(answer: (id: string, command: readonly string[]) => ExecResult): void;
}

export const execResult = (exitCode: number, stdout = ''): ExecResult => ({
  exitCode,
  stdout: Buffer.from(stdout),
  stderr: Buffer.of(),
});

export function createFakeRuntime(): FakeRuntime {
  const { control, intercept } = createCallControl();
  const listeners = new Set<(event: RuntimeEvent) => void>();
  /** Events arrive later than the answer to the call that caused them, as over a socket. */
  const emit = (event: RuntimeEvent): void =>
    queueMicrotask(() => listeners.forEach(listener => listener(event)));
  const exits = new Map<string, Exit>();
  let exec: (id: string, command: readonly string[]) => ExecResult = () => execResult(0);

  const images = createFakeImages(intercept);
  const sandboxes = createFakeSandboxes(intercept, {
    stopAll: id => containers.stopAll(id),
    removeAll: id => containers.removeAll(id),
  });
  const containers = createFakeContainers({
    intercept,
    emit,
    sandboxOf: sandboxes.mustGet,
    imageRefOf: images.mustGetRef,
    exitOnStop: name => exits.get(name) ?? { exitCode: 0 },
  });

  return {
    ...control,
    ...sandboxes.port,
    ...containers.port,
    ...images.port,
    execSync: intercept('execSync', (id, command) => {
      containers.mustGet(id);
      return exec(id, command);
    }),
    exec: intercept('exec', ({ containerId }) => {
      containers.mustGet(containerId);
      return `http://127.0.0.1:1/exec/${containerId}`;
    }),
    attach: intercept('attach', ({ containerId }) => {
      containers.mustGet(containerId);
      return `http://127.0.0.1:1/attach/${containerId}`;
    }),
    portForward: intercept('portForward', id => {
      sandboxes.mustGet(id);
      return `http://127.0.0.1:1/portforward/${id}`;
    }),
    version: intercept('version', () => ({
      runtimeName: 'fake',
      runtimeVersion: '1.0',
      runtimeApiVersion: 'v1',
    })),
    status: intercept('status', () =>
      ['RuntimeReady', 'NetworkReady'].map(type => ({
        type,
        status: true,
        reason: '',
        message: '',
      })),
    ),
    features: intercept('features', () => ({ recursiveReadOnlyMounts: true })),
    watch(listener, signal) {
      listeners.add(listener);
      signal.addEventListener('abort', () => listeners.delete(listener), { once: true });
      queueMicrotask(() => {
        if (!signal.aborted) listener({ type: 'resync' });
      });
    },
    close: () => Promise.resolve(),
    exitContainer: containers.exit,
    killSandbox: sandboxes.kill,
    addImage: image => void images.add(image),
    setExitOnStop: (container, exit) => void exits.set(container, exit),
    setExec: answer => void (exec = answer),
  };
}
