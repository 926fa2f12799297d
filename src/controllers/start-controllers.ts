import { setMaxListeners } from 'node:events';
import type { KubeClient } from '../client/client.ts';
import { createEventRecorder } from '../client/event-recorder.ts';
import { createInformer } from '../client/informer.ts';
import { namespaceResource } from '../api/core/v1/namespace.ts';
import { nodeResource } from '../api/core/v1/node.ts';
import { podResource } from '../api/core/v1/pod.ts';
import type { Logger } from '../machinery/log.ts';
import { startClusterRoleAggregation } from './cluster-roles/aggregation.ts';
import { startGarbageCollector } from './garbage/garbage-collector.ts';
import { startNamespaceDeletion } from './namespaces/namespace-deletion.ts';
import { startScheduler } from './scheduler/scheduler.ts';
import { startNamespaceContents } from './service-accounts/namespace-contents.ts';
import { startTokenSecrets } from './service-accounts/token-secrets.ts';

export interface ControllersOptions {
  readonly client: KubeClient;
  /** PEM, for the ConfigMap kube-root-ca.crt of each namespace: the present one. */
  readonly certificateAuthority: () => string;
  /** PKCS #8 PEM: signs the tokens of Secrets that ask for one. */
  readonly serviceAccountKey: string;
  readonly log: Logger;
}

export interface Controllers {
  /** The CA's certificate is another than before: whoever holds a copy gets the new one. */
  certificateAuthorityRenewed(): void;
  close(): Promise<void>;
}

/** Every loop of the control plane, on the API alone. */
export function startControllers({
  client,
  certificateAuthority,
  serviceAccountKey,
  log,
}: ControllersOptions): Controllers {
  const stop = new AbortController();
  const { signal } = stop;
  // Each informer listens to its end.
  setMaxListeners(0, signal);
  const pods = createInformer(client.resource(podResource), { signal, log });
  const nodes = createInformer(client.resource(nodeResource), { signal, log });
  const namespaces = createInformer(client.resource(namespaceResource), { signal, log });
  const recorder = createEventRecorder({ client, component: 'default-scheduler', log });
  const garbageRecorder = createEventRecorder({
    client,
    component: 'garbage-collector-controller',
    log,
  });
  const contents = startNamespaceContents({
    client,
    namespaces,
    certificateAuthority,
    signal,
    log,
  });
  const tokenSecrets = startTokenSecrets({
    client,
    signingKey: serviceAccountKey,
    certificateAuthority,
    signal,
    log,
  });
  const loops = [
    contents,
    tokenSecrets,
    startNamespaceDeletion({ client, namespaces, log }),
    startScheduler({ client, pods, nodes, recorder, log }),
    startGarbageCollector({ client, pods, nodes, recorder: garbageRecorder, signal, log }),
    startClusterRoleAggregation({ client, signal, log }),
  ];
  return {
    certificateAuthorityRenewed() {
      contents.checkAll();
      tokenSecrets.checkAll();
    },
    async close() {
      stop.abort();
      await Promise.all(loops.map(loop => loop.close()));
      await Promise.all([recorder.flush(), garbageRecorder.flush()]);
    },
  };
}
