import { setMaxListeners } from 'node:events';
import type { KubeClient } from '../client/client.ts';
import { createEventRecorder, type EventRecorder } from '../client/event-recorder.ts';
import { createSharedInformers } from '../client/shared-informers.ts';
import type { Logger } from '../machinery/log.ts';
import { clusterRoleAggregation } from './cluster-roles/aggregation.ts';
import type { Controller, ControllerContext, KnownResources } from './controller.ts';
import { followResources } from './follow-resources.ts';
import { garbageCollector } from './garbage-collector/garbage-collector.ts';
import { namespaceDeletion } from './namespace-deletion/namespace-deletion.ts';
import { nodeLifecycle } from './node-lifecycle/node-lifecycle.ts';
import { podGarbageCollector } from './pod-garbage-collector/pod-garbage-collector.ts';
import { scheduler } from './scheduler/scheduler.ts';
import { createNamespaceContents } from './service-accounts/namespace-contents.ts';
import { createTokenSecrets } from './service-accounts/token-secrets.ts';
import { taintEviction } from './taint-eviction/taint-eviction.ts';

const controllers: readonly Controller[] = [
  namespaceDeletion,
  scheduler,
  nodeLifecycle,
  taintEviction,
  podGarbageCollector,
  garbageCollector,
  clusterRoleAggregation,
];

export interface ControllersOptions {
  readonly client: KubeClient;
  readonly resources: KnownResources;
  /** PEM, for the ConfigMap kube-root-ca.crt of each namespace: the present one. */
  readonly certificateAuthority: () => string;
  /** PKCS #8 PEM: signs the tokens of Secrets that ask for one. */
  readonly serviceAccountKey: string;
  readonly log: Logger;
}

export interface Controllers {
  /** The CA's certificate has changed: objects that hold a copy get the new one. */
  certificateAuthorityRenewed(): void;
  close(): Promise<void>;
}

/** Starts every controller, on the API alone. */
export function startControllers({
  client,
  resources,
  certificateAuthority,
  serviceAccountKey,
  log,
}: ControllersOptions): Controllers {
  const stop = new AbortController();
  const { signal } = stop;
  // Each informer listens for its end.
  setMaxListeners(0, signal);
  const recorders: EventRecorder[] = [];
  const context: ControllerContext = {
    client,
    resources,
    informers: createSharedInformers({ client, signal, log }),
    recorder(component) {
      const recorder = createEventRecorder({ client, component, log });
      recorders.push(recorder);
      return recorder;
    },
    signal,
    log,
  };
  followResources(resources, { removed: resource => context.informers.stop(resource) });
  const certificateControllers = [
    createNamespaceContents(certificateAuthority),
    createTokenSecrets({ signingKey: serviceAccountKey, certificateAuthority }),
  ].map(each => each.start(context));
  const running = [
    ...certificateControllers,
    ...controllers.map(controller => controller.start(context)),
  ];
  return {
    certificateAuthorityRenewed() {
      for (const each of certificateControllers) each.certificateAuthorityRenewed();
    },
    async close() {
      stop.abort();
      await Promise.all(running.map(each => each.close()));
      await Promise.all(recorders.map(recorder => recorder.flush()));
    },
  };
}
