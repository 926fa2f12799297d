import { setTimeout as delay } from 'node:timers/promises';
import type { ClientReadableStream } from '@grpc/grpc-js';
import { guard } from '../../../machinery/unexpected.ts';
import type { Logger } from '../../../machinery/log.ts';
import type { RuntimeEvent, RuntimeMonitor } from '../runtime-monitor.ts';
import { decodeTaskEvent, openService, type GrpcService } from './grpc.ts';
import { waitForRecordedExit, type Inspector } from './wait-for-recorded-exit.ts';

interface WatchOptions {
  readonly endpoint: string;
  readonly runtimeService: GrpcService;
  readonly version: RuntimeMonitor['version'];
  readonly inspector: Inspector;
  readonly log: Logger;
}

type Listener = (event: RuntimeEvent) => void;
type ContainerEventType = Extract<RuntimeEvent, { containerId: string }>['type'];

const retryMs = 200;

/** Follows the runtime until the signal aborts: CRI's own events, or containerd's where CRI has none. */
export function watchRuntime(options: WatchOptions, listener: Listener, signal: AbortSignal): void {
  let reachable = true;
  const emit = (event: RuntimeEvent): void => {
    if (event.type === 'resync') reachable = true;
    if (!signal.aborted) listener(event);
  };
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        // containerd serves its own events in every version; other runtimes are asked through the CRI.
        const { runtimeName } = await options.version();
        const follow = runtimeName === 'containerd' ? followContainerd : followCri;
        await follow(options, emit, signal);
      } catch (error) {
        if (!signal.aborted && reachable)
          options.log.warn('Container runtime unreachable', { error: String(error) });
        reachable = false;
      }
      await delay(retryMs, undefined, { signal }).catch(() => undefined);
    }
  };
  void run();
}

type Follower = (options: WatchOptions, listener: Listener, signal: AbortSignal) => Promise<void>;

const criEventTypes: ReadonlyMap<string, ContainerEventType> = new Map([
  ['CONTAINER_STARTED_EVENT', 'container-started'],
  ['CONTAINER_STOPPED_EVENT', 'container-exited'],
  ['CONTAINER_DELETED_EVENT', 'container-deleted'],
]);

const followCri: Follower = async (options, listener, signal) => {
  const stream = options.runtimeService.stream('GetContainerEvents', {});
  const ended = each(stream, signal, message => {
    const { containerId, containerEventType } = message as {
      containerId: string;
      containerEventType: string;
    };
    const type = criEventTypes.get(containerEventType);
    if (type !== undefined) listener({ type, containerId });
  });
  await untilEnd(ended, options, listener);
};

const followContainerd: Follower = async (options, listener, signal) => {
  const { endpoint, inspector } = options;
  const service = openService('containerd.services.events.v1.Events', endpoint, {
    'containerd-namespace': 'k8s.io',
  });
  try {
    const filters = ['/tasks/start', '/tasks/exit', '/containers/delete'].map(
      topic => `topic=="${topic}",namespace==k8s.io`,
    );
    const exited = guard(
      { log: options.log, operation: 'exit of a container' },
      async (containerId: string) => {
        await waitForRecordedExit(inspector, containerId);
        listener({ type: 'container-exited', containerId });
      },
    );
    const ended = each(service.stream('Subscribe', { filters }), signal, message => {
      const { topic, event } = message as { topic: string; event: { value: Buffer } };
      const { containerId, id } = decodeTaskEvent(event.value);
      if (topic === '/tasks/start') listener({ type: 'container-started', containerId });
      else if (topic === '/containers/delete') listener({ type: 'container-deleted', containerId });
      // An exec inside the container ends with its own id.
      else if (id === containerId) exited(containerId);
    });
    await untilEnd(ended, options, listener);
  } finally {
    service.close();
  }
};

/** A stream says nothing until something happens: it is open when a question that was asked after it is answered. */
async function untilEnd(
  ended: Promise<void>,
  { version }: WatchOptions,
  listener: Listener,
): Promise<void> {
  ended.catch(() => undefined);
  await version();
  listener({ type: 'resync' });
  try {
    await ended;
  } finally {
    listener({ type: 'lost' });
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
    stream.on('data', (message: unknown) => {
      try {
        onMessage(message);
      } catch (error) {
        // The stream is not understood: it is opened anew.
        reject(error);
        stream.cancel();
      }
    });
    stream.on('error', reject);
    stream.once('end', () => {
      signal.removeEventListener('abort', cancel);
      resolve();
    });
  });
}
