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

/** Pods, each of which takes so long by the clock that is answered. */
function slowPods(ms: number) {
  let clock = 0;
  const items = pods.map(each => ({
    ...unkept(each),
    object() {
      clock += ms;
      return each;
    },
  }));
  return {
    pods: { list: () => Promise.resolve({ items, resourceVersion: 1 }) },
    now: () => clock,
  };
}

test('stops after its time limit', async () => {
  const { pods: slow, now } = slowPods(95);
  expect(await existingPodWarnings('ns', baseline, { pods: slow, isExempt, now })).toEqual([
    'new PodSecurity enforce level only checked against the first 11 of 60 existing pods',
    'existing pods in namespace "ns" violate the new PodSecurity enforce level "baseline:latest"',
    'p00 (and 10 other pods): host namespaces',
  ]);
});

test('others get their turn after each pod that takes long', async () => {
  let turns = 0;
  let next = setImmediate(function count() {
    turns += 1;
    next = setImmediate(count);
  });
  const { pods: slow, now } = slowPods(10);
  await existingPodWarnings('ns', baseline, { pods: slow, isExempt, now });
  clearImmediate(next);
  expect(turns).toBeGreaterThanOrEqual(pods.length - 1);
});

test('reports a failed list', async () => {
  const failing = { list: () => Promise.reject(new Error('no')) };
  expect(await existingPodWarnings('ns', baseline, { pods: failing, isExempt })).toEqual([
    'failed to list pods while checking new PodSecurity enforce level',
  ]);
});
