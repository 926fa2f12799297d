import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished, vi } from 'vitest';
import {
  podResource,
  type Container,
  type ContainerStatus,
  type Pod,
  type PodStatus,
} from '../../src/api/core/v1/pod.ts';
import { notFound } from '../../src/machinery/status.ts';
import { createPodWorker, type PodWorker } from '../../src/node/pods/pod-worker.ts';
import type { WorkerServices } from '../../src/node/pods/worker-context.ts';
import type { Rejection } from '../../src/node/pods/pod-admission.ts';
import { createFakeRuntime, type FakeRuntime } from '../../src/node/runtime/fake/fake-runtime.ts';
import type { RuntimeMethod } from '../../src/node/runtime/fake/call-control.ts';
import { VolumeSetupError } from '../../src/node/volumes/volume-manager.ts';
import { nodeServices } from './node-services.ts';

export interface WorkerHarness {
  readonly runtime: FakeRuntime;
  readonly worker: PodWorker;
  /** The pod as the API server has it; undefined once it is deleted. */
  readonly pod: () => Pod | undefined;
  readonly status: () => PodStatus;
  /** Every status that was written, the oldest first. */
  readonly statuses: readonly PodStatus[];
  /** As its DELETED event shows it. */
  readonly deletedAs: () => Pod | undefined;
  /** `<type> <reason>: <message>` */
  readonly events: readonly string[];
  /** What the log warned of. */
  readonly warnings: readonly string[];
  /** A user deletes the pod. */
  requestDeletion(graceSeconds?: number): void;
  /** The API server forgets the pod, as after a forced deletion. */
  removeFromApi(): void;
  /** A user changes the pod. */
  change(change: (pod: Pod) => void): void;
  /** From now on the worker does not hear what it wrote itself. */
  holdUpdates(): void;
  /** The volumes of the pod cannot be mounted, until they can. */
  failVolumes(message: string | undefined): void;
  isMounted(): boolean;
  /** Calls of a method so far. */
  callsOf(method: RuntimeMethod): number;
  /** The newest container of that name. */
  containerId(name: string): Promise<string>;
  containerStatus(name: string): ContainerStatus | undefined;
  /** Waits until the container runs. @returns its id */
  running(name: string): Promise<string>;
}

export interface HarnessOptions {
  readonly spec: Partial<Pod['spec']> & { containers: Container[] };
  readonly status?: PodStatus;
  readonly rejection?: Rejection;
  readonly runtime?: FakeRuntime;
}

/** Looks often: what the worker waits for is real, but instant. */
export const waitFor = <T>(check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(check, { interval: 2, timeout: 10_000 });

/** One pod worker with an API, a runtime and a node that are all in memory. */
export async function startWorker({
  spec,
  status,
  rejection,
  runtime = createFakeRuntime(),
}: HarnessOptions): Promise<WorkerHarness> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'keylet-worker-'));
  let pod: Pod | undefined = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'ns', uid: 'uid-of-p' },
    spec: { restartPolicy: 'Always', terminationGracePeriodSeconds: 30, ...spec },
    ...(status === undefined ? {} : { status }),
  };
  let deletedAs: Pod | undefined;
  let mounted = false;
  let updatesHeld = false;
  let volumeFailure: string | undefined;
  const statuses: PodStatus[] = [];
  const events: string[] = [];
  const warnings: string[] = [];

  const stored = (): Pod => {
    if (pod === undefined) throw notFound(podResource, 'p');
    return pod;
  };
  const publish = (next: Pod | undefined): void => {
    pod = next;
    worker.update(next);
  };
  const node = nodeServices(runtime, dataDir);
  const services: WorkerServices = {
    ...node,
    pods: {
      patch(_namespace, _name, _type, body) {
        const { status: change } = body as { status: PodStatus };
        const next = { ...stored(), status: { ...stored().status, ...structuredClone(change) } };
        statuses.push(next.status);
        if (updatesHeld) pod = next;
        else publish(next);
        return Promise.resolve(next);
      },
      delete() {
        deletedAs = stored();
        publish(undefined);
        return Promise.resolve();
      },
    },
    volumes: {
      ...node.volumes,
      mountAll() {
        if (volumeFailure !== undefined)
          throw new VolumeSetupError([{ volume: 'v', message: volumeFailure }]);
        mounted = true;
        return Promise.resolve([]);
      },
      unmountAll() {
        mounted = false;
        return Promise.resolve();
      },
    },
    admission: { ...node.admission, admit: () => Promise.resolve(rejection) },
    recorder: {
      ...node.recorder,
      event: (_object, type, reason, message) => void events.push(`${type} ${reason}: ${message}`),
    },
    log: {
      ...node.log,
      warn: (message, fields) => void warnings.push(`${message} ${JSON.stringify(fields)}`),
      error: (message, fields) => void warnings.push(`${message} ${JSON.stringify(fields)}`),
    },
  };
  const worker = createPodWorker(pod, services);
  const stop = new AbortController();
  runtime.watch(() => worker.wake(), stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await worker.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  const containerStatus = (name: string): ContainerStatus | undefined =>
    [...(pod?.status?.initContainerStatuses ?? []), ...(pod?.status?.containerStatuses ?? [])].find(
      each => each.name === name,
    );
  const containerId = async (name: string): Promise<string> => {
    const found = (await runtime.listContainers({ podUid: 'uid-of-p' }))
      .filter(({ metadata }) => metadata.name === name)
      .toSorted((a, b) => b.metadata.attempt - a.metadata.attempt)[0];
    if (found === undefined) throw new Error(`There is no container ${name}`);
    return found.id;
  };
  return {
    runtime,
    worker,
    pod: () => pod,
    status: () => pod?.status ?? {},
    statuses,
    deletedAs: () => deletedAs,
    events,
    warnings,
    requestDeletion(graceSeconds = 30) {
      const metadata = {
        ...stored().metadata,
        deletionTimestamp: new Date().toISOString(),
        deletionGracePeriodSeconds: graceSeconds,
      };
      publish({ ...stored(), metadata });
    },
    removeFromApi: () => publish(undefined),
    change(change) {
      const next = structuredClone(stored());
      change(next);
      publish(next);
    },
    holdUpdates() {
      updatesHeld = true;
    },
    failVolumes(message) {
      volumeFailure = message;
      worker.retryNow();
    },
    isMounted: () => mounted,
    callsOf: method => runtime.calls.filter(each => each.method === method).length,
    containerId,
    containerStatus,
    running: name =>
      waitFor(async () => {
        const id = await containerId(name);
        if (containerStatus(name)?.state?.running === undefined)
          throw new Error(`The container ${name} does not run`);
        return id;
      }),
  };
}

export const container = (name: string, more: Partial<Container> = {}): Container => ({
  name,
  image: 'docker.io/library/busybox:latest',
  ...more,
});
