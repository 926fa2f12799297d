import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { guard } from '../machinery/unexpected.ts';
import { namespaceResource } from '../api/core/v1/namespace.ts';
import { nodeResource } from '../api/core/v1/node.ts';
import { podResource } from '../api/core/v1/pod.ts';
import { secretResource } from '../api/core/v1/secret.ts';
import { serviceAccountResource } from '../api/core/v1/service-account.ts';
import { clusterRoleBindingResource } from '../api/rbac.authorization.k8s.io/v1/cluster-role-binding.ts';
import { clusterRoleResource } from '../api/rbac.authorization.k8s.io/v1/cluster-role.ts';
import { roleBindingResource } from '../api/rbac.authorization.k8s.io/v1/role-binding.ts';
import { roleResource } from '../api/rbac.authorization.k8s.io/v1/role.ts';
import type { Logger } from '../machinery/log.ts';
import type { Store } from '../store/store.ts';
import { createAdmission } from './admission/admission.ts';
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
import { createObjectLookup } from './authn/object-lookup.ts';
import { createServiceAccountTokens, tokenIssuer } from './authn/service-account-tokens.ts';
import { startAuthorization } from './authz/start-authorization.ts';
import { createDiscovery } from './discovery/discovery.ts';
import { createHealth } from './http/health.ts';
import { verifiedNameOf } from './http/credentials.ts';
import { listen } from './http/listener.ts';
import { defaultInFlightLimits, type InFlightLimits } from './http/limits/in-flight.ts';
import { createMetrics } from './http/metrics.ts';
import { createPipeline } from './http/pipeline.ts';
import { createOpenApi } from './openapi/documents.ts';
import type { Pki } from './pki/pki.ts';
import { createObjectStores } from './registry/object-stores.ts';
import { builtInResources } from './resources/built-in.ts';
import { createResourceRegistry, type ResourceRegistry } from './resources/resource-registry.ts';
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
  /** @default kube-apiserver's */
  readonly inFlight?: InFlightLimits;
  /** Keylet's own. */
  readonly version: string;
  /** @default Kubernetes' defaults: privileged unless a namespace's labels say otherwise */
  readonly podSecurity?: PodSecurityConfiguration;
  readonly log: Logger;
}

export interface RunningServer {
  readonly port: number;
  /** What is served: it may be changed at any time. */
  readonly resources: ResourceRegistry;
  close(): Promise<void>;
}

/** A Kubernetes API on the store. */
export async function startServer({
  store,
  pki,
  host,
  port,
  maxConnections,
  inFlight = defaultInFlightLimits,
  version,
  podSecurity: podSecurityConfiguration = defaultConfiguration(),
  log,
}: ServerOptions): Promise<RunningServer> {
  const stores = createObjectStores(store, log);
  const namespaces = stores.of(namespaceResource);
  const pods = stores.of(podResource);
  const nodes = stores.of(nodeResource);

  const lookup = createObjectLookup(stores);
  const stop = new AbortController();
  // Every request listens to its end.
  setMaxListeners(0, stop.signal);
  await keepSystemNamespaces(namespaces, { signal: stop.signal, log });
  const { authorize, rulesFor, access } = await startAuthorization({
    pods,
    roles: stores.of(roleResource),
    roleBindings: stores.of(roleBindingResource),
    clusterRoles: stores.of(clusterRoleResource),
    clusterRoleBindings: stores.of(clusterRoleBindingResource),
    signal: stop.signal,
    log,
  });
  const metrics = createMetrics({ store });
  const nodeProxy = createNodeProxy({ pods, nodes, pki });
  const tokens = createServiceAccountTokens({
    privateKey: pki.serviceAccountKey,
    lookup,
    legacy: createLegacyTokens({ lookup, secrets: stores.of(secretResource) }),
  });
  const resources = createResourceRegistry(stores, log);
  resources.add(...builtInResources({ authorize, rulesFor, tokens, lookup, nodeProxy }));
  const pipeline = createPipeline({
    resources,
    tokens,
    authorize,
    admission: createAdmission([
      namespaceLifecycle(namespaces),
      {
        name: 'ServiceAccount',
        mutate: serviceAccountAdmission(stores.of(serviceAccountResource)),
      },
      { name: 'NodeRestriction', mutate: nodeRestriction({ pods, nodes, authorize }) },
      { name: 'RoleEscalation', mutate: roleEscalation(access, authorize) },
      { name: 'DefaultTolerationSeconds', mutate: defaultTolerations },
      { name: 'RuntimeClass', mutate: runtimeClass },
      {
        name: 'PodSecurity',
        validate: podSecurity({ namespaces, pods, configuration: podSecurityConfiguration }),
      },
    ]),
    discovery: createDiscovery(resources, `${host}:${port}`),
    openApi: createOpenApi(resources, version),
    nodeProxy,
    metrics,
    version,
    issuer: issuerDocuments(tokenIssuer, pki.serviceAccountKey),
    health: createHealth(() => store.writeFault()),
    inFlight,
    log,
    signal: stop.signal,
  });
  const closeAll = (): void => {
    stop.abort();
    nodeProxy.close();
    resources.close();
    stores.close();
  };
  const listener = await listen({
    ...pki.serving,
    ca: pki.ca,
    host,
    port,
    maxConnections,
    verifiedNameOf,
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
    closeAll();
    throw error;
  });
  pki.onRenewed(() => listener.setCertificates({ ...pki.serving, ca: pki.ca }));
  return {
    port: listener.port,
    resources,
    async close() {
      stop.abort();
      await listener.close();
      closeAll();
    },
  };
}
