import { expect, test } from 'vitest';
import type { StrategyContext } from '../../../machinery/resource.ts';
import { namespaceResource, type Namespace } from './namespace.ts';
import { podResource, type Pod } from './pod.ts';

const context: StrategyContext = { now: '2026-01-01T00:00:00Z', randomSuffix: () => 'aaaaa' };
const ghost = { apiVersion: 'v1', kind: 'ConfigMap', name: 'ghost', uid: 'ghost' };
const pod = (metadata: Pod['metadata']): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata,
  spec: { containers: [{ name: 'a' }] },
});

test.each([
  ['added', { name: 'p' }, { name: 'p', ownerReferences: [ghost] }],
  ['removed', { name: 'p', ownerReferences: [ghost] }, { name: 'p' }],
])('owner references cannot be %s by a write to the status of a pod', (_what, before, after) => {
  const next = pod(structuredClone(after));
  podResource.subresources?.['status']?.update?.prepareForUpdate(next, pod(before), context);
  expect(next.metadata).toEqual(before);
});

test.each<['Active' | 'Terminating', object, string]>([
  [
    'Terminating',
    {},
    'status.Phase: Invalid value: "Terminating": may only be \'Active\' if `deletionTimestamp` is empty',
  ],
  [
    'Active',
    { deletionTimestamp: context.now },
    'status.Phase: Invalid value: "Active": may only be \'Terminating\' if `deletionTimestamp` is not empty',
  ],
])('the phase %s of a namespace does not fit its deletion', (phase, metadata, expected) => {
  const namespace: Namespace = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'n', ...metadata },
    status: { phase },
  };
  const errors =
    namespaceResource.subresources?.['status']?.update?.validateUpdate(namespace, namespace) ?? [];
  expect(errors.map(({ field, message }) => `${field}: ${message}`)).toEqual([expected]);
});
