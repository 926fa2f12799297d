import type { WorkerServices } from '../../src/node/pods/worker-context.ts';
import type { FakeRuntime } from '../../src/node/runtime/fake/fake-runtime.ts';

const ignore = (): void => undefined;

/** What pod workers need of their node, in memory: everything succeeds, and nothing is remembered. */
export function nodeServices(runtime: FakeRuntime, dataDir: string): Omit<WorkerServices, 'pods'> {
  return {
    runtime,
    runtimeName: 'containerd',
    volumes: {
      mountAll: () => Promise.resolve([]),
      containerMounts: () => Promise.resolve([]),
      mountStatuses: () => [],
      refreshAll: () => Promise.resolve(),
      unmountAll: () => Promise.resolve(),
      podUidsOnDisk: () => Promise.resolve([]),
      onRefreshFailed: ignore,
      onRemounted: ignore,
      close: () => Promise.resolve(),
    },
    references: {
      registerPod: ignore,
      unregisterPod: ignore,
      getSecret: () => Promise.reject(new Error('there are no secrets here')),
      getConfigMap: () => Promise.reject(new Error('there are no config maps here')),
      onChange: ignore,
    },
    images: {
      async ensureImage({ container: { image = '' } }) {
        const id = await runtime.pullImage(image);
        return {
          imageRef: id,
          image: { id, repoTags: [], repoDigests: [], size: 1, username: '' },
        };
      },
      resetBackoff: ignore,
      forget: ignore,
    },
    admission: { admit: () => Promise.resolve(undefined), forget: ignore },
    recorder: { event: ignore, flush: () => Promise.resolve() },
    dataDir,
    nodeName: 'node',
    hostIp: '192.0.2.1',
    nameRule: 'relaxed',
    serviceEnv: {},
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
  };
}
