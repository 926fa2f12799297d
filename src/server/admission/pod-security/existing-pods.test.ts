import { expect, test } from 'vitest';
import type { Pod } from '../../../api/core/v1/pod.ts';
import { unkept } from '../../registry/unkept.ts';
import { existingPodWarnings } from './existing-pods.ts';

const pods = Array.from({ length: 60 }, (_, i): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `p${String(i).padStart(2, '0')}`, namespace: 'ns' },
  spec: { hostPID: true, containers: [] },
}));
const baseline = { level: 'baseline', version: 'latest' } as const;
const listing = (remainingItemCount: number) => ({
  list: () =>
    Promise.resolve({
      items: pods.map(each => unkept(each)),
      resourceVersion: 1,
      remainingItemCount,
    }),
});
const isExempt = (): boolean => false;

test('says how many pods were checked if there are too many', async () => {
  expect(await existingPodWarnings('ns', baseline, { pods: listing(40), isExempt })).toEqual([
    'new PodSecurity enforce level only checked against the first 60 of 100 existing pods',
    'existing pods in namespace "ns" violate the new PodSecurity enforce level "baseline:latest"',
    'p00 (and 59 other pods): host namespaces',
  ]);
});

test('stops after its time limit', async () => {
  let clock = 0;
  const now = () => (clock += 100);
  expect(await existingPodWarnings('ns', baseline, { pods: listing(0), isExempt, now })).toEqual([
    'new PodSecurity enforce level only checked against the first 10 of 60 existing pods',
    'existing pods in namespace "ns" violate the new PodSecurity enforce level "baseline:latest"',
    'p00 (and 9 other pods): host namespaces',
  ]);
});

test('reports a failed list', async () => {
  const failing = { list: () => Promise.reject(new Error('no')) };
  expect(await existingPodWarnings('ns', baseline, { pods: failing, isExempt })).toEqual([
    'failed to list pods while checking new PodSecurity enforce level',
  ]);
});
