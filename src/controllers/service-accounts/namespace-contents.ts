import { configMapResource } from '../../api/core/v1/configmap.ts';
import { namespaceResource } from '../../api/core/v1/namespace.ts';
import { serviceAccountResource } from '../../api/core/v1/service-account.ts';
import { createInformer } from '../../client/informer.ts';
import { isStatusError } from '../../machinery/status.ts';
import { createWorkQueue } from '../../machinery/work-queue.ts';
import type { ControllerContext } from '../controller.ts';
import type { CertificateController } from './certificate-controller.ts';

const rootCaName = 'kube-root-ca.crt';

/**
 * Gives each namespace that is not being deleted the service account `default` and the ConfigMap
 * kube-root-ca.crt.
 */
export const createNamespaceContents = (
  certificateAuthority: () => string,
): CertificateController => ({
  name: 'namespace-contents',
  start: context => startNamespaceContents(context, certificateAuthority),
});

function startNamespaceContents(
  { client, informers, signal, log }: ControllerContext,
  certificateAuthority: () => string,
): ReturnType<CertificateController['start']> {
  const namespaces = informers.of(namespaceResource);
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
          .catch(ignoreUncreatable),
        publishRootCa(namespace),
      ]);
    },
    onError: (namespace, error) =>
      log.warn('Could not create namespace defaults', { namespace, error: String(error) }),
  });

  const publishRootCa = async (namespace: string): Promise<void> => {
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
      await configMaps.create(wanted).catch(ignoreUncreatable);
    }
  };

  namespaces.onChange(({ type, object }) => {
    if (type === 'added') queue.add(object.metadata.name ?? '');
  });
  // Whoever deletes one of the two gets it back.
  createInformer(client.metadata(serviceAccountResource), {
    fieldSelector: 'metadata.name=default',
    signal,
    log,
  }).onChange(({ type, object }) => {
    if (type === 'deleted') queue.add(object.metadata.namespace ?? '');
  });
  createInformer(client.metadata(configMapResource), {
    fieldSelector: `metadata.name=${rootCaName}`,
    signal,
    log,
  }).onChange(({ type, object }) => {
    if (type !== 'added') queue.add(object.metadata.namespace ?? '');
  });
  return {
    close: () => queue.close(),
    certificateAuthorityRenewed() {
      for (const { metadata } of namespaces.list()) queue.add(metadata.name ?? '');
    },
  };
}

/** It exists already, or its namespace is gone or being deleted. */
function ignoreUncreatable(error: unknown): void {
  const ignored =
    isStatusError(error, 'AlreadyExists') ||
    isStatusError(error, 'NotFound') ||
    isStatusError(error, 'Forbidden');
  if (!ignored) throw error;
}
