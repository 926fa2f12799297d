import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { nodeServices } from '../../../test/support/node-services.ts';
import { container, waitFor } from '../../../test/support/pod-worker-harness.ts';
import type { Pod } from '../../api/core/v1/pod.ts';
import type { Informer, InformerChange } from '../../client/informer.ts';
import { createFakeRuntime, type FakeRuntime } from '../runtime/fake/fake-runtime.ts';
import { startPodWorkers } from './pod-workers.ts';

const pod = (uid: string, name = uid): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'ns', uid },
  spec: { restartPolicy: 'Always', terminationGracePeriodSeconds: 1, containers: [container('c')] },
});

/** Workers that follow an informer of the test's own. */
async function start(first: Pod[], runtime = createFakeRuntime()) {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'keylet-workers-'));
  const handlers: ((change: InformerChange<Pod>) => void)[] = [];
  const objects = [...first];
  const informer: Informer<Pod> = {
    synced: Promise.resolve(),
    get: (_namespace, name) => objects.find(({ metadata }) => metadata.name === name),
    list: () => objects,
    onChange(handler) {
      handlers.push(handler);
      for (const object of objects) handler({ type: 'added', object });
    },
  };
  const deleted: string[] = [];
  const stop = new AbortController();
  const workers = startPodWorkers(
    informer,
    {
      ...nodeServices(runtime, dataDir),
      pods: {
        patch: () => Promise.resolve(pod('any')),
        delete: (_namespace, name) => Promise.resolve(void deleted.push(name)),
      },
    },
    stop.signal,
  );
  runtime.watch(workers.onRuntimeEvent, stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await workers.close();
    await rm(dataDir, { recursive: true, force: true });
  });
  const change = (event: InformerChange<Pod>): void => handlers.forEach(each => each(event));
  return { runtime, workers, deleted, change };
}

/** The pods whose containers run, by uid. */
const running = async (runtime: FakeRuntime): Promise<string[]> =>
  (await runtime.listContainers())
    .filter(({ state }) => state === 'CONTAINER_RUNNING')
    .map(({ labels }) => labels['io.kubernetes.pod.uid'] ?? '')
    .toSorted();

test('each pod of the node runs, and a container that ends is restarted', async () => {
  const { runtime } = await start([pod('a'), pod('b')]);
  await waitFor(async () => expect(await running(runtime)).toEqual(['a', 'b']));
  const [first] = await runtime.listContainers({ podUid: 'a' });
  runtime.exitContainer(first?.id ?? '', { exitCode: 1 });
  await waitFor(async () => expect(await running(runtime)).toEqual(['a', 'b']));
  const attempts = (await runtime.listContainers({ podUid: 'a' })).map(
    each => each.metadata.attempt,
  );
  expect(new Set(attempts)).toEqual(new Set([0, 1]));
});

test('a pod that is created anew under the same name replaces its predecessor', async () => {
  const old = pod('old', 'p');
  const { runtime, change, deleted } = await start([old]);
  await waitFor(async () => expect(await running(runtime)).toEqual(['old']));
  change({ type: 'updated', old, object: pod('new', 'p') });
  await waitFor(async () => {
    expect(await running(runtime)).toEqual(['new']);
    expect(await runtime.listPodSandboxes({ podUid: 'old' })).toEqual([]);
  });
  // The API has the new one under that name.
  expect(deleted).toEqual([]);
});

test('what an agent before this one left of a deleted pod is removed; other pods stay', async () => {
  const runtime = createFakeRuntime();
  const before = await start([pod('a'), pod('gone')], runtime);
  await waitFor(async () => expect(await running(runtime)).toEqual(['a', 'gone']));
  await before.workers.close();
  await start([pod('a')], runtime);
  await waitFor(async () => expect(await running(runtime)).toEqual(['a']));
  expect(await runtime.listPodSandboxes({ podUid: 'gone' })).toEqual([]);
});

test('when the connection to the runtime is back, every worker looks at what happened meanwhile', async () => {
  const { runtime, workers } = await start([pod('a')]);
  await waitFor(async () => expect(await running(runtime)).toEqual(['a']));
  const [sandbox] = await runtime.listPodSandboxes();
  // Nobody reports it.
  runtime.killSandbox(sandbox?.id ?? '');
  workers.onRuntimeEvent({ type: 'lost' });
  workers.onRuntimeEvent({ type: 'resync' });
  await waitFor(async () => {
    const ready = (await runtime.listPodSandboxes()).filter(each => each.state === 'SANDBOX_READY');
    expect(ready).toHaveLength(1);
    expect(await running(runtime)).toEqual(['a']);
  });
});

test('stopAll() stops every pod and leaves the API its objects', async () => {
  const { runtime, workers, deleted } = await start([pod('a'), pod('b')]);
  await waitFor(async () => expect(await running(runtime)).toEqual(['a', 'b']));
  await workers.stopAll(1);
  expect(await runtime.listPodSandboxes()).toEqual([]);
  expect(deleted).toEqual([]);
});
