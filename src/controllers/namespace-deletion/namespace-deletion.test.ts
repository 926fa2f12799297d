import { expect, test, vi } from 'vitest';
import { testContext } from '../../../test/support/controller-context.ts';
import { namespaceResource, type Namespace } from '../../api/core/v1/namespace.ts';
import type { KubeClient } from '../../client/client.ts';
import { forbidden, internalError } from '../../machinery/status.ts';
import { namespaceDeletion } from './namespace-deletion.ts';

const namespace: Namespace = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'team', deletionTimestamp: '2026-01-01T00:00:00Z' },
  spec: { finalizers: ['kubernetes', 'example.com/mine'] },
};

test('a finalize call that is refused is no success: it is logged and tried again', async () => {
  const refusals = [forbidden(namespaceResource, 'team', 'no'), internalError('disk')];
  const finalized: unknown[] = [];
  const context = testContext({
    resource: (() => ({
      get: () => Promise.resolve(namespace),
      updateStatus: () => Promise.resolve(namespace),
      updateSubresource: ({ spec }: Namespace, subresource: string) => {
        const refusal = refusals.shift();
        if (refusal !== undefined) return Promise.reject(refusal);
        finalized.push([subresource, spec?.finalizers]);
        return Promise.resolve(namespace);
      },
    })) as unknown as KubeClient['resource'],
    metadata: (() => ({
      list: () => Promise.resolve({ metadata: {}, items: [] }),
      deleteCollection: () => Promise.resolve(),
    })) as unknown as KubeClient['metadata'],
  });
  const running = namespaceDeletion.start(context);
  context.informers.feed(namespaceResource).put(namespace);
  await vi.waitFor(() => expect(finalized).toEqual([['finalize', ['example.com/mine']]]), 5_000);
  expect(context.lines).toHaveLength(2);
  expect(context.lines[0]).toContain('namespaces \\"team\\" is forbidden: no');
  await running.close();
});
