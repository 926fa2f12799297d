import { randomUUID } from 'node:crypto';
import type { Namespace } from '../api/core/v1/namespace.ts';
import type { Logger } from '../machinery/log.ts';
import { createLoop } from '../machinery/loop.ts';
import { isStatusError } from '../machinery/status.ts';
import { timestamp } from '../machinery/timestamp.ts';
import { followObjects } from './registry/follow-objects.ts';
import type { ObjectStore } from './registry/object-store.ts';

const systemNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];
const retryMs = 1_000;

/**
 * Creates the namespaces that Kubernetes' own parts rely on, and again whenever one was deleted.
 * @returns when they exist
 */
export async function keepSystemNamespaces(
  namespaces: ObjectStore<Namespace>,
  { signal, log }: { readonly signal: AbortSignal; readonly log: Logger },
): Promise<void> {
  await createAll(namespaces);
  const loop = createLoop(
    () =>
      createAll(namespaces).catch((error: unknown) => {
        log.warn('Could not create a system namespace', { error: String(error) });
        loop.wakeIn(retryMs);
      }),
    { log, operation: 'system namespaces' },
  );
  signal.addEventListener('abort', () => void loop.close(), { once: true });
  const nothing = (): void => undefined;
  const remove = (_: string, name: string): void => {
    if (systemNamespaces.includes(name)) loop.wake();
  };
  await followObjects(namespaces, { put: nothing, remove, clear: nothing }, { signal, log });
}

async function createAll(namespaces: ObjectStore<Namespace>): Promise<void> {
  for (const name of systemNamespaces) {
    const creationTimestamp = timestamp();
    await namespaces
      .create({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: {
          name,
          uid: randomUUID(),
          creationTimestamp,
          labels: { 'kubernetes.io/metadata.name': name },
        },
        spec: { finalizers: ['kubernetes'] },
        status: { phase: 'Active' },
      })
      .catch((error: unknown) => {
        if (!isStatusError(error, 'AlreadyExists')) throw error;
      });
  }
}
