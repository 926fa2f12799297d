import { setMaxListeners } from 'node:events';
import { hostPortsOf } from '../api/core/v1/pod/host-ports.ts';
import { podResource } from '../api/core/v1/pod.ts';
import type { KubeClient } from '../client/client.ts';
import { createEventRecorder, type EventRecorder } from '../client/event-recorder.ts';
import { createInformer } from '../client/informer.ts';
import type { Logger } from '../machinery/log.ts';
import { hasAppArmor } from './app-armor.ts';
import { openCredentialHash } from './images/credential-hash.ts';
import { createImagePuller, type ImagePuller } from './images/image-puller.ts';
import { openPullRecords } from './images/pull-records.ts';
import { createPullSecrets } from './images/pull-secrets.ts';
import type { VerificationPolicy } from './images/verification-policy.ts';
import { hostAddress, type NodeFacts } from './node-status/node-object.ts';
import { createCleanup, type Cleanup, type CloseOptions } from './cleanup.ts';
import { registerNode } from './node-status/node-registration.ts';
import { createPodAdmission } from './pods/pod-admission.ts';
import { startPodWorkers } from './pods/pod-workers.ts';
import { createReferences, type References } from './references/references.ts';
import type { RuntimeMonitor } from './runtime/runtime-monitor.ts';
import type { Runtime } from './runtime/runtime.ts';
import { createOperationAuthorizer } from './server/authorize-request.ts';
import {
  startNodeServer,
  type NodeServer,
  type NodeServerOptions,
  type ServingCertificates,
} from './server/start-node-server.ts';
import { createVolumeManager } from './volumes/volume-manager.ts';

export interface NodeOptions {
  readonly client: KubeClient;
  readonly nodeName: string;
  readonly dataDir: string;
  readonly runtime: Runtime;
  /** The node's own server: its certificate, and the CA of who may ask. */
  readonly serving: ServingCertificates;
  /** Of that server, open at a time. */
  readonly maxConnections?: number | undefined;
  readonly podCidr?: string;
  /** Where pods reach the API. */
  readonly api: { readonly host: string; readonly port: number };
  readonly nameRule: 'strict' | 'relaxed';
  /** KubeletConfiguration's configMapAndSecretChangeDetectionStrategy. */
  readonly changeDetection: 'Watch' | 'Cache' | 'Get';
  readonly ttlMs: number;
  readonly syncFrequencyMs: number;
  readonly images: ImageOptions;
  /** TCP ports on which processes of Keylet listen on this machine, at this moment. */
  readonly reservedPorts: () => Promise<ReadonlySet<number>>;
  readonly version: string;
  readonly log: Logger;
}

export interface ImageOptions {
  /** Where it is kept which Secret has pulled which image. */
  readonly recordsDir: string;
  readonly keysDir: string;
  readonly policy: VerificationPolicy;
  /** The runtime has told words of credentials in an error, and may have logged them. */
  readonly onCredentialsTold: (words: readonly string[]) => void;
}

export interface NodeAgent {
  /** Its server's, from now on. */
  setCertificates(certificates: ServingCertificates): void;
  close(options: CloseOptions): Promise<void>;
}

const stopGraceSeconds = 10;

/** An agent on this machine. Resolves when the node is Ready in the API; where that fails, nothing of it is left. */
export async function startNode(options: NodeOptions): Promise<NodeAgent> {
  const cleanup = createCleanup();
  try {
    return await startParts(options, cleanup);
  } catch (error) {
    await cleanup
      .run({ leavePods: true })
      .catch((failure: unknown) =>
        options.log.error('Node shutdown incomplete', { error: String(failure) }),
      );
    throw error;
  }
}

async function startParts(options: NodeOptions, cleanup: Cleanup): Promise<NodeAgent> {
  const { client, nodeName, runtime, dataDir, serving, log, api } = options;
  const stop = new AbortController();
  const { signal } = stop;
  // Every watch of a reference listens to its end.
  setMaxListeners(0, signal);
  const hostIp = hostAddress();
  const { runtimeName, runtimeVersion } = await runtime.version();
  const server = await listenBesidesPods(await hostPortsOfNode(client, nodeName), {
    runtime,
    serving,
    authorize: createOperationAuthorizer(client, nodeName),
    podOf: (namespace, name) => pods.get(namespace, name),
    host: hostIp,
    port: 0,
    maxConnections: options.maxConnections,
    log,
  });
  cleanup.add(() => server.close());
  const recorder = createEventRecorder({ client, component: 'kubelet', host: nodeName, log });
  cleanup.add(() => recorder.flush());
  const references = createReferences({
    client,
    strategy: options.changeDetection,
    ttlMs: options.ttlMs,
    signal,
    log,
  });
  const images = await createImages(options, recorder, references);
  const { recursiveReadOnlyMounts } = await runtime.features();
  const volumes = createVolumeManager({
    dataDir,
    references,
    client,
    recursiveReadOnlyMounts,
    log,
  });
  cleanup.add(() => volumes.close());
  cleanup.add(() => Promise.resolve(stop.abort()));
  const pods = createInformer(client.resource(podResource), {
    fieldSelector: `spec.nodeName=${nodeName}`,
    signal,
    log,
  });
  const workers = startPodWorkers(
    pods,
    {
      pods: client.resource(podResource),
      runtime,
      runtimeName,
      volumes,
      references,
      images,
      admission: createPodAdmission({
        pods: pods.list,
        reservedPorts: options.reservedPorts,
        hasAppArmor,
      }),
      recorder,
      dataDir,
      nodeName,
      hostIp,
      nameRule: options.nameRule,
      serviceEnv: serviceEnv(api),
      log,
    },
    signal,
  );
  cleanup.add(({ leavePods }) => (leavePods ? workers.close() : workers.stopAll(stopGraceSeconds)));
  const facts = async (): Promise<NodeFacts> => ({
    nodeName,
    hostIp,
    port: server.port,
    dataDir,
    ...(options.podCidr === undefined ? {} : { podCidr: options.podCidr }),
    reservedPorts: options.reservedPorts,
    runtimeVersion: `${runtimeName}://${runtimeVersion}`,
    version: options.version,
    notReady: await whyNotReady(runtime),
  });
  const registration = await registerNode({ client, facts, log });
  cleanup.add(() => registration.close());
  runtime.watch(event => {
    workers.onRuntimeEvent(event);
    if (event.type === 'lost' || event.type === 'resync') registration.lookAgain();
  }, signal);
  if (options.changeDetection !== 'Watch') {
    const refresh = setInterval(() => {
      volumes
        .refreshAll()
        .catch((error: unknown) => log.warn('Volume refresh failed', { error: String(error) }));
    }, options.syncFrequencyMs);
    cleanup.add(() => Promise.resolve(clearInterval(refresh)));
  }
  return {
    setCertificates: certificates => server.setCertificates(certificates),
    close: closeOptions => cleanup.run(closeOptions),
  };
}

async function hostPortsOfNode(client: KubeClient, nodeName: string): Promise<Set<number>> {
  const fieldSelector = `spec.nodeName=${nodeName}`;
  const { items } = await client.resource(podResource).list({ fieldSelector });
  return new Set(items.flatMap(hostPortsOf).map(({ port }) => port));
}

/** The kernel may choose a port that is forwarded to a pod: host ports are firewall rules, not sockets. */
async function listenBesidesPods(
  taken: ReadonlySet<number>,
  options: NodeServerOptions,
): Promise<NodeServer> {
  for (;;) {
    const server = await startNodeServer(options);
    if (!taken.has(server.port)) return server;
    await server.close();
  }
}

async function createImages(
  { runtime, images, log }: NodeOptions,
  recorder: EventRecorder,
  references: References,
): Promise<ImagePuller> {
  const records = await openPullRecords({
    dir: images.recordsDir,
    runtime,
    policy: images.policy,
    hash: await openCredentialHash(images.keysDir, log),
    log,
  });
  const pullSecrets = createPullSecrets({ references, recorder });
  return createImagePuller({
    runtime,
    recorder,
    pullSecrets,
    records,
    onTold: images.onCredentialsTold,
  });
}

async function whyNotReady(runtime: Pick<RuntimeMonitor, 'status'>): Promise<string | undefined> {
  try {
    const failing = (await runtime.status()).filter(each => !each.status);
    return failing.length === 0
      ? undefined
      : failing.map(each => `${each.type} ${each.message}`).join(', ');
  } catch (error) {
    return `container runtime is down: ${(error as Error).message}`;
  }
}

const serviceEnv = ({ host, port }: { host: string; port: number }): Record<string, string> => ({
  KUBERNETES_SERVICE_HOST: host,
  KUBERNETES_SERVICE_PORT: String(port),
  KUBERNETES_SERVICE_PORT_HTTPS: String(port),
});
