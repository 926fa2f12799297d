import { setTimeout as delay } from 'node:timers/promises';
import type { ClientReadableStream } from '@grpc/grpc-js';
import type { Logger } from '../../../machinery/log.ts';
import type { Runtime, RuntimeEvent } from '../runtime.ts';
import { decodeTaskEvent, openService, type GrpcService } from './grpc.ts';

interface WatchOptions {
  readonly endpoint: string;
  readonly runtime: GrpcService;
  readonly adapter: Runtime;
  readonly log: Logger;
}

type Listener = (event: RuntimeEvent) => void;

/** Follows the runtime until the signal aborts: CRI's own events, or containerd's where CRI has none. */
export function watchRuntime(options: WatchOptions, listener: Listener, signal: AbortSignal): void {
  const run = async (): Promise<void> => {
    // containerd serves its own events in every version; other runtimes are asked through the CRI.
    const { runtimeName } = await options.adapter
      .version()
      .catch(() => ({ runtimeName: 'containerd' }));
    const follow = runtimeName === 'containerd' ? followContainerd : followCri;
    while (!signal.aborted) {
      await follow(options, listener, signal).catch((error: unknown) => {
        if (!signal.aborted) options.log.warn('The runtime was lost', { error: String(error) });
      });
      await delay(200, undefined, { signal }).catch(() => undefined);
    }
  };
  void run();
}

async function followCri(
  { runtime }: WatchOptions,
  listener: Listener,
  signal: AbortSignal,
): Promise<void> {
  const types: Record<string, Exclude<RuntimeEvent['type'], 'resync'>> = {
    CONTAINER_STARTED_EVENT: 'container-started',
    CONTAINER_STOPPED_EVENT: 'container-exited',
    CONTAINER_DELETED_EVENT: 'container-deleted',
  };
  const stream = runtime.stream('GetContainerEvents', {});
  listener({ type: 'resync' });
  await each(stream, signal, message => {
    const { containerId, containerEventType } = message as {
      containerId: string;
      containerEventType: string;
    };
    const type = types[containerEventType];
    if (type !== undefined) listener({ type, containerId });
  });
}

async function followContainerd(
  { endpoint, adapter }: WatchOptions,
  listener: Listener,
  signal: AbortSignal,
): Promise<void> {
  const service = openService('containerd.services.events.v1.Events', endpoint, {
    'containerd-namespace': 'k8s.io',
  });
  try {
    const filters = ['/tasks/start', '/tasks/exit', '/containers/delete'].map(
      topic => `topic=="${topic}",namespace==k8s.io`,
    );
    const stream = service.stream('Subscribe', { filters });
    listener({ type: 'resync' });
    await each(stream, signal, message => {
      const { topic, event } = message as { topic: string; event: { value: Buffer } };
      const { containerId, id } = decodeTaskEvent(event.value);
      if (topic === '/tasks/start') listener({ type: 'container-started', containerId });
      else if (topic === '/containers/delete') listener({ type: 'container-deleted', containerId });
      // An exec inside the container ends with its own id.
      else if (id === containerId)
        void exited(adapter, containerId).then(() =>
          listener({ type: 'container-exited', containerId }),
        );
    });
  } finally {
    service.close();
  }
}

/** containerd tells the end of a task before its CRI plugin has noted it. */
async function exited(adapter: Runtime, containerId: string): Promise<void> {
  for (let waitMs = 2; waitMs < 2000; waitMs *= 2) {
    const state = await adapter.containerStatus(containerId).then(
      status => status.state,
      () => 'CONTAINER_EXITED',
    );
    if (state !== 'CONTAINER_RUNNING') return;
    await delay(waitMs);
  }
}

function each(
  stream: ClientReadableStream<unknown>,
  signal: AbortSignal,
  onMessage: (message: unknown) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = (): void => stream.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    stream.on('data', onMessage);
    stream.once('error', reject);
    stream.once('end', () => {
      signal.removeEventListener('abort', cancel);
      resolve();
    });
  });
}
