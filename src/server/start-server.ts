import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { guard } from '../machinery/unexpected.ts';
import type { Namespace } from '../api/core/v1/namespace.ts';
import { resources } from '../api/index.ts';
import { rbacGroup } from '../api/rbac.authorization.k8s.io/v1/policy-rule.ts';
import type { ServiceAccount } from '../api/core/v1/service-account.ts';
import type { Logger } from '../machinery/log.ts';
import { absent } from '../machinery/status.ts';
import type { Store } from '../store/store.ts';
import { chain } from './admission/admission.ts';
import { defaultTolerations } from './admission/default-tolerations.ts';
import { namespaceLifecycle } from './admission/namespace-lifecycle.ts';
import { nodeRestriction } from './admission/node-restriction.ts';
import {
  defaultConfiguration,
  type PodSecurityConfiguration,
} from './admission/pod-security/configuration.ts';
import { podSecurity } from './admission/pod-security/pod-security.ts';
import { roleEscalation } from './admission/role-escalation.ts';
import { runtimeClass } from './admission/runtime-class.ts';
import { serviceAccountAdmission } from './admission/service-account.ts';
import { createLegacyTokens } from './authn/legacy-tokens.ts';
import { issuerDocuments } from './authn/issuer-documents.ts';
import type { ObjectLookup } from './authn/object-lookup.ts';
import { createServiceAccountTokens, tokenIssuer } from './authn/service-account-tokens.ts';
import { startAuthorization } from './authz/start-authorization.ts';
import { createDiscovery } from './discovery/discovery.ts';
import { listen } from './http/listener.ts';
import { createMetrics } from './http/metrics.ts';
import { createPipeline } from './http/pipeline.ts';
import { createOpenApi } from './openapi/documents.ts';
import type { Pki } from './pki/pki.ts';
import { createObjectStore } from './registry/create-object-store.ts';
import type { ObjectStore } from './registry/object-store.ts';
import { startTtl } from './registry/ttl.ts';
import { keepSystemNamespaces } from './system-namespaces.ts';
import { createNodeProxy } from './subresources/node-proxy.ts';

export interface ServerOptions {
  readonly store: Store;
  readonly pki: Pki;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Open at a time. */
  readonly maxConnections?: number | undefined;
  /** Keylet's own. */
  readonly version: string;
  /** @default Kubernetes' defaults: privileged unless a namespace's labels say otherwise */
  readonly podSecurity?: PodSecurityConfiguration;
  readonly log: Logger;
}

export interface RunningServer {
  readonly port: number;
  close(): Promise<void>;
}

/** A Kubernetes API on the store. */
export async function startServer({
  store,
  pki,
  host,
  port,
  maxConnections,
  version,
  podSecurity: podSecurityConfiguration = defaultConfiguration(),
  log,
}: ServerOptions): Promise<RunningServer> {
  const stores = new Map<string, ObjectStore & { close(): void }>();
  const entries = resources.map(descriptor => {
    const objects = descriptor.stored ? createObjectStore(descriptor, store, log) : undefined;
    if (objects !== undefined) stores.set(`${descriptor.plural}.${descriptor.group}`, objects);
    return { descriptor, objects };
  });
  const storeOf = <T extends object>(plural: string, group = ''): T => {
    const found = stores.get(`${plural}.${group}`);
    if (found === undefined) throw new Error(`No store of ${plural}`);
    return found as unknown as T;
  };
  const namespaces = storeOf<ObjectStore<Namespace>>('namespaces');
  const accounts = storeOf<ObjectStore<ServiceAccount>>('serviceaccounts');

  const lookup: ObjectLookup = async (kind, namespace, name) => {
    const objects = storeOf<ObjectStore>(`${kind.toLowerCase()}s`);
    return (await objects.get(kind === 'Node' ? '' : namespace, name).catch(absent))?.object();
  };
  const stop = new AbortController();
  // Every request listens to its end.
  setMaxListeners(0, stop.signal);
  await keepSystemNamespaces(namespaces, { signal: stop.signal, log });
  const { authorize, rulesFor, access } = await startAuthorization({
    pods: storeOf('pods'),
    roles: storeOf('roles', rbacGroup),
    roleBindings: storeOf('rolebindings', rbacGroup),
    clusterRoles: storeOf('clusterroles', rbacGroup),
    clusterRoleBindings: storeOf('clusterrolebindings', rbacGroup),
    signal: stop.signal,
    log,
  });
  const metrics = createMetrics({ store, resources });
  const nodeProxy = createNodeProxy({ pods: storeOf('pods'), nodes: storeOf('nodes'), pki });
  const pipeline = createPipeline({
    entries,
    tokens: createServiceAccountTokens({
      privateKey: pki.serviceAccountKey,
      lookup,
      legacy: createLegacyTokens({ lookup, secrets: storeOf('secrets') }),
    }),
    lookup,
    authorize,
    rulesFor,
    admission: chain(
      namespaceLifecycle(namespaces),
      serviceAccountAdmission(accounts),
      nodeRestriction({ pods: storeOf('pods'), nodes: storeOf('nodes') }),
      roleEscalation(access, authorize),
      defaultTolerations,
      runtimeClass,
      // Last: it evaluates the pod as it will be stored.
      podSecurity({
        namespaces,
        pods: storeOf('pods'),
        configuration: podSecurityConfiguration,
      }),
    ),
    discovery: createDiscovery(resources, `${host}:${port}`),
    openApi: createOpenApi(resources, version),
    nodeProxy,
    metrics,
    version,
    issuer: issuerDocuments(tokenIssuer, pki.serviceAccountKey),
    storeFault: () => store.writeFault(),
    log,
    signal: stop.signal,
  });
  const listener = await listen({
    ...pki.serving,
    ca: pki.ca,
    host,
    port,
    maxConnections,
    onRequest: (request, response) =>
      guard({ log, operation: 'request', onError: () => response.destroy() }, () => {
        response.setHeader('audit-id', randomUUID());
        return pipeline.handle(request, response);
      })(),
    onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      guard({ log, operation: 'upgrade', onError: () => socket.destroy() }, () =>
        pipeline.upgrade(request, socket, head),
      )(),
    log,
  }).catch((error: unknown) => {
    stop.abort();
    throw error;
  });
  pki.onRenewed(() => listener.setCertificates({ ...pki.serving, ca: pki.ca }));
  const expiring = entries.filter(
    ({ descriptor }) => descriptor.ttlSeconds !== undefined && descriptor.storedAs === undefined,
  );
  const ttls = expiring.flatMap(({ descriptor, objects }) =>
    objects === undefined ? [] : [startTtl(objects, descriptor.ttlSeconds ?? 0, log)],
  );
  return {
    port: listener.port,
    async close() {
      stop.abort();
      for (const ttl of ttls) ttl.close();
      await listener.close();
      nodeProxy.close();
      for (const objects of stores.values()) objects.close();
    },
  };
}
