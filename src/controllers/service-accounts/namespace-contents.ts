import { configMapResource } from '../../api/core/v1/configmap.ts';
import type { Namespace } from '../../api/core/v1/namespace.ts';
import { serviceAccountResource } from '../../api/core/v1/service-account.ts';
import type { KubeClient } from '../../client/client.ts';
import { createInformer, type Informer } from '../../client/informer.ts';
import type { Logger } from '../../machinery/log.ts';
import { isStatusError } from '../../machinery/status.ts';
import { createWorkQueue } from '../../machinery/work-queue.ts';
import type { CheckedQueue } from './checked-queue.ts';

const rootCaName = 'kube-root-ca.crt';

/** Each namespace that is not ending has a service account `default` and the ConfigMap kube-root-ca.crt. */
export function startNamespaceContents(options: {
  readonly client: KubeClient;
  readonly namespaces: Informer<Namespace>;
  readonly certificateAuthority: () => string;
  readonly signal: AbortSignal;
  readonly log: Logger;
}): CheckedQueue {
  const { client, namespaces, certificateAuthority, signal, log } = options;
  const accounts = client.resource(serviceAccountResource);
  const configMaps = client.resource(configMapResource);
  const queue = createWorkQueue({
    async work(namespace) {
      const current = namespaces.get('', namespace);
      if (current === undefined || current.metadata.deletionTimestamp !== undefined) return;
      await Promise.all([
        accounts
          .create({
            apiVersion: 'v1',
            kind: 'ServiceAccount',
            metadata: { name: 'default', namespace },
          })
          .catch(thereAlready),
        keepRootCa(namespace),
      ]);
    },
    onError: (namespace, error) =>
      log.warn('A namespace was not filled', { namespace, error: String(error) }),
  });

  const keepRootCa = async (namespace: string): Promise<void> => {
    const wanted = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: rootCaName, namespace },
      data: { 'ca.crt': certificateAuthority() },
    };
    try {
      const found = await configMaps.get(namespace, rootCaName);
      if (found.data?.['ca.crt'] !== wanted.data['ca.crt'])
        await configMaps.update({ ...found, data: wanted.data });
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
      await configMaps.create(wanted).catch(thereAlready);
    }
  };

  namespaces.onChange(({ type, object }) => {
    if (type === 'added') queue.add(object.metadata.name ?? '');
  });
  // Whoever deletes one of the two gets it back.
  createInformer(accounts, { fieldSelector: 'metadata.name=default', signal, log }).onChange(
    ({ type, object }) => {
      if (type === 'deleted') queue.add(object.metadata.namespace ?? '');
    },
  );
  createInformer(configMaps, {
    fieldSelector: `metadata.name=${rootCaName}`,
    signal,
    log,
  }).onChange(({ type, object }) => {
    if (type !== 'added') queue.add(object.metadata.namespace ?? '');
  });
  return {
    close: () => queue.close(),
    checkAll() {
      for (const { metadata } of namespaces.list()) queue.add(metadata.name ?? '');
    },
  };
}

function thereAlready(error: unknown): void {
  const passing =
    isStatusError(error, 'AlreadyExists') ||
    isStatusError(error, 'NotFound') ||
    isStatusError(error, 'Forbidden');
  if (!passing) throw error;
}
