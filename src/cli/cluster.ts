import { createHash } from 'node:crypto';
import { hostname, networkInterfaces } from 'node:os';
import path from 'node:path';
import { createClient } from '../client/http-client.ts';
import type { KubeClient } from '../client/client.ts';
import { startControllers } from '../controllers/start-controllers.ts';
import type { Logger } from '../machinery/log.ts';
import {
  createVerificationPolicy,
  type VerificationPolicyName,
} from '../node/images/verification-policy.ts';
import { freeReservedPorts } from '../node/free-reserved-ports.ts';
import { listeningPorts } from '../node/listening-ports.ts';
import { defaultNodeName } from '../node/node-status/node-object.ts';
import {
  startManagedContainerd,
  type ManagedContainerd,
} from '../node/runtime/containerd/managed-containerd.ts';
import { keepConfidential } from '../node/runtime/containerd/confidential-values.ts';
import { connectCri } from '../node/runtime/cri/connect-cri.ts';
import { createCleanup } from '../node/cleanup.ts';
import { startNode } from '../node/start-node.ts';
import type { PodSecurityConfiguration } from '../server/admission/pod-security/configuration.ts';
import { defaultInFlightLimits } from '../server/http/limits/in-flight.ts';
import { kubeconfigText } from '../server/pki/kubeconfig.ts';
import { PkiError } from '../server/pki/pki-error.ts';
import { openPki, type Pki, type PkiOptions } from '../server/pki/pki.ts';
import { startRenewal } from '../server/pki/start-renewal.ts';
import { startServer } from '../server/start-server.ts';
import { openStore } from '../store/open-store.ts';
import { StoreError, type Store } from '../store/store.ts';
import { writeFileAtomically } from './atomic-file.ts';
import type { ConnectionLimits } from './open-files.ts';
import { podNetwork } from './pod-network.ts';
import { UserError } from './user-error.ts';
import { keyletVersion } from './version.ts';

export interface ClusterSettings {
  readonly dataDir: string;
  /** Go on with a store that has less than its record says, or has no record. */
  readonly acceptStore?: true;
  readonly port: number;
  readonly bindAddress: string;
  readonly nodeName?: string;
  readonly runtimeEndpoint?: string;
  readonly podCidr?: string;
  readonly registryHostsDir?: string;
  readonly envNames: 'strict' | 'relaxed';
  readonly secretUpdates: 'Watch' | 'Cache' | 'Get';
  /** Milliseconds. */
  readonly secretTtl: number;
  /** Milliseconds. */
  readonly syncFrequency: number;
  readonly imagePullCredentialsVerificationPolicy: VerificationPolicyName;
  readonly preloadedImagesVerificationAllowlist?: readonly string[];
  readonly podSecurity: PodSecurityConfiguration;
  /** 0: no limit. */
  readonly maxRequestsInflight: number;
  readonly maxMutatingRequestsInflight: number;
}

export interface Cluster {
  readonly url: string;
  readonly kubeconfig: string;
  readonly nodeName: string;
  close(options: { leavePods: boolean }): Promise<void>;
}

export interface ClusterOptions {
  readonly settings: ClusterSettings;
  readonly connections: ConnectionLimits;
  readonly log: Logger;
  /** Progress, a line a step. */
  say(line: string): void;
}

/** API server, controllers and node agent in this process. Resolves when the node is Ready. */
export async function startCluster({
  settings,
  connections,
  log,
  say,
}: ClusterOptions): Promise<Cluster> {
  const { dataDir } = settings;
  const nodeName = settings.nodeName ?? defaultNodeName();
  const version = keyletVersion();
  // What was started is ended in the opposite order, also when a later step fails.
  const cleanup = createCleanup();
  try {
    const network = await podNetwork(dataDir, settings.podCidr);
    // containerd takes longest to start: it does so while the rest comes up.
    const starting = startRuntime(settings, network, log);
    starting.catch(() => undefined);
    cleanup.add(async ({ leavePods }) => {
      const managed = await starting.catch(() => undefined);
      await managed?.close();
      if (!leavePods || (await managed?.isIdle()) === true) await managed?.cleanUp();
    });
    const [store, pki] = await Promise.all([
      openClusterStore(settings, log),
      openClusterPki({ ...pkiOptions(dataDir, nodeName, network.cidr), log }),
    ]);
    cleanup.add(() => store.close());
    const renewal = startRenewal(pki, log);
    cleanup.add(() => renewal.close());
    const server = await startServer({
      store,
      pki,
      host: settings.bindAddress,
      port: settings.port,
      maxConnections: connections.api,
      inFlight: {
        ...defaultInFlightLimits,
        readOnly: settings.maxRequestsInflight,
        mutating: settings.maxMutatingRequestsInflight,
      },
      version,
      podSecurity: settings.podSecurity,
      log,
    }).catch(cannotListen(settings));
    cleanup.add(() => server.close());
    const url = `https://127.0.0.1:${server.port}`;
    const kubeconfig = path.join(dataDir, 'admin.kubeconfig');
    const writeKubeconfig = (): Promise<void> =>
      writeFileAtomically(kubeconfig, kubeconfigText(url, pki.ca, pki.admin), 0o600);
    await writeKubeconfig();
    pki.onRenewed(() => {
      writeKubeconfig().catch((error: unknown) =>
        log.error('The kubeconfig was not written', { error: String(error) }),
      );
    });
    say(`API          ${url}`);

    const managed = await starting.catch((error: unknown) => {
      throw new UserError((error as Error).message, { cause: error });
    });
    const endpoint = managed?.endpoint ?? settings.runtimeEndpoint ?? '';
    const cri = connectCri({ endpoint, log });
    const runtime = managed === undefined ? cri : keepConfidential(cri, managed.valuesDir);
    cleanup.add(() => runtime.close());
    const { runtimeName, runtimeVersion } = await runtime.version().catch(noRuntime(endpoint));
    say(`Runtime      ${runtimeName} ${runtimeVersion}`);
    const reservedPorts = (): Promise<Set<number>> =>
      listeningPorts([process.pid, ...(managed === undefined ? [] : [managed.pid])]);
    // Before the first client connects: its connection would end in the pod.
    await freeReservedPorts(runtime, await reservedPorts(), log);

    const controllerClient = clientOf(url, pki, 'controllers');
    cleanup.add(() => controllerClient.close());
    const controllers = startControllers({
      client: controllerClient,
      resources: server.resources,
      certificateAuthority: () => pki.ca,
      serviceAccountKey: pki.serviceAccountKey,
      log,
    });
    pki.onRenewed(() => controllers.certificateAuthorityRenewed());
    cleanup.add(() => controllers.close());

    const nodeClient = clientOf(url, pki, 'node');
    cleanup.add(() => nodeClient.close());
    const node = await startNode({
      client: nodeClient,
      nodeName,
      dataDir,
      runtime,
      serving: { ...pki.nodeServing, clientCa: pki.ca },
      maxConnections: connections.node,
      podCidr: network.cidr,
      api: { host: gatewayOf(network.cidr), port: server.port },
      nameRule: settings.envNames,
      changeDetection: settings.secretUpdates,
      ttlMs: settings.secretTtl,
      syncFrequencyMs: settings.syncFrequency,
      images: {
        recordsDir: imageRecordsDir(settings),
        keysDir: path.join(dataDir, 'keys'),
        policy: createVerificationPolicy(
          settings.imagePullCredentialsVerificationPolicy,
          settings.preloadedImagesVerificationAllowlist,
        ),
        onCredentialsTold: words => {
          managed
            ?.scrubLog(words)
            .catch((error: unknown) =>
              log.warn("containerd's log was not scrubbed", { error: (error as Error).message }),
            );
        },
      },
      reservedPorts,
      version,
      log,
    });
    pki.onRenewed(() => node.setCertificates({ ...pki.nodeServing, clientCa: pki.ca }));
    cleanup.add(options => node.close(options));
    say(`Node         ${nodeName}, Ready`);
    say(`Kubeconfig   ${kubeconfig}`);
    return { url, kubeconfig, nodeName, close: options => cleanup.run(options) };
  } catch (error) {
    await cleanup
      .run({ leavePods: true })
      .catch((failure: unknown) => log.error('Not all was ended', { error: String(failure) }));
    throw error;
  }
}

async function openClusterStore(
  { dataDir, acceptStore }: ClusterSettings,
  log: Logger,
): Promise<Store> {
  try {
    return await openStore({
      path: path.join(dataDir, 'store'),
      keysDir: path.join(dataDir, 'keys'),
      acceptStore: acceptStore === true,
      log,
    });
  } catch (error) {
    throw error instanceof StoreError ? new UserError(error.message, { cause: error }) : error;
  }
}

async function openClusterPki(options: PkiOptions): Promise<Pki> {
  try {
    return await openPki(options);
  } catch (error) {
    throw error instanceof PkiError ? new UserError(error.message, { cause: error }) : error;
  }
}

const startRuntime = (
  { runtimeEndpoint, dataDir, registryHostsDir }: ClusterSettings,
  network: { cidr: string; bridge: string },
  log: Logger,
): Promise<ManagedContainerd | undefined> =>
  runtimeEndpoint === undefined
    ? startManagedContainerd({
        dataDir,
        podNetwork: network,
        log,
        ...(registryHostsDir === undefined ? {} : { registryHostsDir }),
      })
    : Promise.resolve(undefined);

/** Each runtime has its own images, and so its own records of who pulled them. */
function imageRecordsDir({ dataDir, runtimeEndpoint }: ClusterSettings): string {
  const dir = path.join(dataDir, 'image_manager');
  if (runtimeEndpoint === undefined) return dir;
  return `${dir}-${createHash('sha256').update(runtimeEndpoint).digest('hex').slice(0, 12)}`;
}

/** The first address of the pods' network is the bridge: pods reach the machine by it. */
const gatewayOf = (cidr: string): string => cidr.replace(/\.0\/24$/, '.1').replace(/\/\d+$/, '');

function pkiOptions(dataDir: string, nodeName: string, cidr: string) {
  const addresses = Object.values(networkInterfaces())
    .flatMap(each => each ?? [])
    .filter(
      each => each.family === 'IPv4' && !each.address.startsWith(cidr.replace(/\.\d+\/\d+$/, '.')),
    )
    .map(each => each.address);
  const own = [...new Set(['127.0.0.1', ...addresses])];
  return {
    dir: path.join(dataDir, 'pki'),
    names: [
      ...own,
      gatewayOf(cidr),
      'localhost',
      hostname().toLowerCase(),
      'kubernetes',
      'kubernetes.default',
      'kubernetes.default.svc',
      'kubernetes.default.svc.cluster.local',
    ],
    nodeName,
    nodeNames: [...own, nodeName],
  };
}

const clientOf = (server: string, pki: Pki, identity: 'controllers' | 'node'): KubeClient =>
  createClient({
    server,
    certificates: () => ({
      certificateAuthority: pki.ca,
      clientCertificate: pki[identity].cert,
      clientKey: pki[identity].key,
    }),
  });

const cannotListen =
  ({ port, bindAddress }: ClusterSettings) =>
  (error: NodeJS.ErrnoException): never => {
    if (error.code === 'EADDRINUSE')
      throw new UserError(
        `port ${port} is in use. Choose another with --port, or a free one with --port 0`,
      );
    if (error.code === 'EADDRNOTAVAIL')
      throw new UserError(`--bind-address ${bindAddress}: this machine has no such address`);
    throw error;
  };

const noRuntime =
  (endpoint: string) =>
  (error: Error): never => {
    throw new UserError(`no runtime with CRI v1 answers at ${endpoint}: ${error.message}`, {
      cause: error,
    });
  };
