import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startLocalApi, type LocalApi } from '../support/local-api.ts';

let api: LocalApi;
beforeAll(async () => {
  api = await startLocalApi();
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
  await api.ask({ path: `${namespace}/serviceaccounts`, body: account });
});
afterAll(() => api.close());

const namespace = '/api/v1/namespaces/default';

/** A pod that runs: its deletion takes time. */
async function createPod(name: string, spec: object = {}): Promise<void> {
  const containers = [{ name: 'a', image: 'busybox' }];
  const body = { metadata: { name }, spec: { nodeName: 'node-a', containers, ...spec } };
  const { code, text } = await api.ask({ path: `${namespace}/pods`, body });
  expect(code, text).toBe(201);
}

const metadataOf = async (name: string) =>
  (await api.ask({ path: `${namespace}/pods/${name}` })).body['metadata'] as {
    deletionTimestamp?: string;
    deletionGracePeriodSeconds?: number;
  };

describe('a grace period that is longer than any time', () => {
  const forever = 9_000_000_000_000_000;

  test('in the options of DELETE leaves a time that clients can read', async () => {
    await createPod('patient');
    for (const seconds of [300_000_000_000, forever]) {
      const { code } = await api.ask({
        method: 'DELETE',
        path: `${namespace}/pods/patient?gracePeriodSeconds=${seconds}`,
      });
      expect(code).toBe(200);
      expect((await metadataOf('patient')).deletionTimestamp).toMatch(/^2\d{3}-.{14}Z$/);
    }
  });

  test('of the pod itself does not keep it from being deleted', async () => {
    await createPod('lasting', { terminationGracePeriodSeconds: forever });
    const { code } = await api.ask({ method: 'DELETE', path: `${namespace}/pods/lasting` });
    expect(code).toBe(200);
    expect((await metadataOf('lasting')).deletionTimestamp).toMatch(/^2\d{3}-.{14}Z$/);
  });
});

describe('the deleteOptions of an eviction', () => {
  const evict = (name: string, deleteOptions: object) =>
    api.ask({ path: `${namespace}/pods/${name}/eviction`, body: { deleteOptions } });

  test.each<[object, string]>([
    [{ propagationPolicy: 'Sideways' }, 'propagationPolicy'],
    [{ dryRun: ['Some'] }, 'dryRun'],
    [{ orphanDependents: true, propagationPolicy: 'Orphan' }, 'cannot be both set'],
  ])('%j are refused as those of DELETE are', async (options, reason) => {
    const name = `refused-${Math.random().toString(36).slice(2)}`;
    await createPod(name);
    const { code, body } = await evict(name, options);
    expect(code).toBe(422);
    expect(body.message).toContain(reason);
    expect((await metadataOf(name)).deletionTimestamp).toBeUndefined();
  });

  test('with a negative grace period give the pod a second', async () => {
    await createPod('hurried');
    expect((await evict('hurried', { gracePeriodSeconds: -100 })).code).toBe(201);
    expect((await metadataOf('hurried')).deletionGracePeriodSeconds).toBe(1);
  });
});
